//! The flags of `bench` and `serve`, defined once for the command line, the environment and TOML.
//! Here each value is only parsed; the plans check them together.

/// Defines a struct of optional flags, with a method that merges two sets of them.
macro_rules! layered {
    (
        $(#[$doc:meta])*
        pub struct $name:ident {
            $($(#[$field_doc:meta])* pub $field:ident: Option<$type:ty>,)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, clap::Args)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
        pub struct $name { $($(#[$field_doc])* pub $field: Option<$type>,)* }

        impl $name {
            /// Merges two sets of flags: a flag that is not given here takes its value from
            /// `below`.
            pub fn or(self, below: Self) -> Self {
                Self { $($field: self.$field.or(below.$field),)* }
            }
        }
    };
}

mod bench;
mod serve;

pub use bench::BenchFlags;
pub use serve::ServeFlags;
