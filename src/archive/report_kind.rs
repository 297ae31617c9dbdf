//! The kinds of reports that are files.

/// A report of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportKind {
    /// The report for people, to be opened in a browser.
    Html,
    /// Test results for continuous integration.
    Junit,
    /// A short text in Markdown.
    Summary,
}

impl ReportKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Html, Self::Junit, Self::Summary];

    /// The name of its file in a run's folder.
    pub const fn file_name(self) -> &'static str {
        match self {
            Self::Html => "report.html",
            Self::Junit => "junit.xml",
            Self::Summary => "summary.md",
        }
    }

    /// The flag that names a file for it.
    pub const fn flag(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Junit => "junit",
            Self::Summary => "summary",
        }
    }
}
