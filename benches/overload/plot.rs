//! The figures of the open model as a drawing: goodput, latency and memory by offered load.

/// Size of the drawing and of one chart in it, in pixels.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 250.0;
const CHART_WIDTH: f64 = 180.0;
const CHART_HEIGHT: f64 = 150.0;
const LEFT: f64 = 48.0;
const TOP: f64 = 50.0;

/// The figures at one offered load.
pub(crate) struct Point {
    /// Offered load, as a multiple of the capacity.
    pub(crate) load: f64,
    /// Goodput as a share of the peak.
    pub(crate) share: f64,
    /// p99 of accepted attempts as a multiple of that at half the capacity.
    pub(crate) p99: f64,
    pub(crate) memory_mib: f64,
}

/// One chart: its title, the scale's end, the goal if there is one, and what is drawn.
struct Chart {
    title: &'static str,
    max: f64,
    goal: Option<f64>,
    of: fn(&Point) -> f64,
    decimals: usize,
}

/// The drawing as SVG, in colours that can be read on light and dark pages.
pub(crate) fn svg(points: &[Point], goodput: f64, p99: f64) -> String {
    let largest = |of: fn(&Point) -> f64| points.iter().map(of).fold(0.0, f64::max);
    let (share_of, p99_of, memory_of) =
        (|point: &Point| point.share, |point: &Point| point.p99, |point: &Point| point.memory_mib);
    let charts = [
        Chart {
            title: "goodput, share of the peak",
            max: largest(share_of).max(1.0) * 1.1,
            goal: Some(goodput),
            of: share_of,
            decimals: 2,
        },
        Chart {
            title: "p99, times that at half load",
            max: largest(p99_of).max(p99) * 1.1,
            goal: Some(p99),
            of: p99_of,
            decimals: 1,
        },
        Chart {
            title: "memory, MiB",
            max: largest(memory_of).max(1.0) * 1.1,
            goal: None,
            of: memory_of,
            decimals: 0,
        },
    ];
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"11\" fill=\"#777\" role=\"img\">\n\
         <title>Goodput, latency and memory by offered load, in multiples of the capacity</title>\n"
    );
    for (index, chart) in charts.iter().enumerate() {
        draw(&mut svg, chart, points, LEFT + index as f64 * WIDTH / 3.0);
    }
    svg.push_str("</svg>\n");
    svg
}

fn draw(svg: &mut String, chart: &Chart, points: &[Point], left: f64) {
    let (right, bottom) = (left + CHART_WIDTH, TOP + CHART_HEIGHT);
    let y = |value: f64| bottom - CHART_HEIGHT * value / chart.max;
    let mut add = |line: String| {
        svg.push_str(&line);
        svg.push('\n');
    };
    add(format!(
        "<text x=\"{left}\" y=\"{}\" font-weight=\"bold\">{}</text>",
        TOP - 24.0,
        chart.title
    ));
    add(format!("<path d=\"M{left} {TOP}V{bottom}H{right}\" fill=\"none\" stroke=\"#999\"/>"));
    if let Some(goal) = chart.goal {
        let y = y(goal);
        add(format!(
            "<path d=\"M{left} {y:.1}H{right}\" stroke=\"#c33\" stroke-dasharray=\"4 3\"/>"
        ));
        add(format!(
            "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#c33\">{goal}</text>",
            left - 4.0,
            y + 4.0
        ));
    }
    let step = CHART_WIDTH / points.len() as f64;
    for (index, point) in points.iter().enumerate() {
        let (value, x) = ((chart.of)(point), left + step * index as f64);
        let (top, width, middle) = (y(value), step * 0.76, x + step / 2.0);
        add(format!(
            "<rect x=\"{:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{:.1}\" \
             fill=\"#48a\"/>",
            x + step * 0.12,
            bottom - top,
        ));
        // Inside the bar, where the line of the goal does not cross it, if there is room.
        let (y, colour) = match bottom - top > 18.0 {
            true => (top + 14.0, "#fff"),
            false => (top - 4.0, "#777"),
        };
        let decimals = chart.decimals;
        add(format!(
            "<text x=\"{middle:.1}\" y=\"{y:.1}\" text-anchor=\"middle\" \
             fill=\"{colour}\">{value:.decimals$}</text>"
        ));
        add(format!(
            "<text x=\"{middle:.1}\" y=\"{}\" text-anchor=\"middle\">{}×</text>",
            bottom + 15.0,
            point.load
        ));
    }
    let middle = left + CHART_WIDTH / 2.0;
    add(format!(
        "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">offered load</text>",
        bottom + 32.0
    ));
}
