//! Charts as SVG: horizontal places are percentages, so that a chart takes the width it gets and its text stays readable.
//!
//! Each has a role, a title and a description; the numbers behind it stand in a table on the same page.

use maud::{Markup, html};

use crate::render::report::digest::Mean;

/// A place on a horizontal axis as an SVG percentage, limited to the chart.
fn percent(share: f64) -> String {
    format!("{:.2}%", (share * 100.0).clamp(0.0, 100.0))
}

/// A value with its interval and a line to compare with, on an axis from 0 to `full`.
pub fn interval(value: &Mean, reference: Option<f64>, full: f64, label: &str) -> Markup {
    html! {
        svg.interval role="img" aria-label=(label) height="20" {
            title { (label) }
            line.axis x1="0" x2="100%" y1="10" y2="10" {}
            @if let Some(reference) = reference {
                line.reference x1=(percent(reference / full)) x2=(percent(reference / full)) y1="1" y2="19" {}
            }
            @if let Some((low, high)) = value.interval {
                line.whisker x1=(percent(low / full)) x2=(percent(high / full)) y1="10" y2="10" {}
                line.whisker x1=(percent(low / full)) x2=(percent(low / full)) y1="6" y2="14" {}
                line.whisker x1=(percent(high / full)) x2=(percent(high / full)) y1="6" y2="14" {}
            }
            circle.dot.open[value.interval.is_none()] cx=(percent(value.mean / full)) cy="10" r="4" {}
        }
    }
}

/// The axis 0–100 above a column of intervals.
pub fn axis() -> Markup {
    html! {
        svg.axis height="14" aria-hidden="true" {
            @for (value, anchor) in [(0, "start"), (50, "middle"), (100, "end")] {
                text x=(format!("{value}%")) y="11" text-anchor=(anchor) { (value) }
            }
        }
    }
}

/// One mark of a chart over time.
pub struct Point {
    /// 0…1 of the chart's width.
    pub at: f64,
    pub value: Mean,
    pub label: String,
    /// Where a click leads.
    pub href: Option<String>,
}

/// A band behind a chart over time, in points.
pub struct Band<'a> {
    pub class: &'a str,
    pub low: f64,
    pub high: f64,
    pub label: &'a str,
}

/// Scores over time: one faint dot per call, means with whiskers, bands behind. Vertical axis from 0 to 100 points.
pub fn over_time(title: &str, calls: &[Point], means: &[Point], bands: &[Band], ticks: &[(f64, String)]) -> Markup {
    const HEIGHT: f64 = 160.0;
    const TOP: f64 = 8.0;
    let y = |points: f64| format!("{:.1}", TOP + HEIGHT * (1.0 - points.clamp(0.0, 100.0) / 100.0));
    // A margin at both sides keeps the first and last marks and the scale apart.
    let x = |at: f64| percent(0.06 + 0.91 * at);
    html! {
        svg.over-time role="group" aria-label=(title) height="200" {
            title { (title) }
            @for band in bands {
                rect class=(format!("band {}", band.class)) x="6%" width="91%" y=(y(band.high)) height=(format!("{:.1}", ((band.high - band.low).min(100.0) * HEIGHT / 100.0).max(1.0))) {
                    title { (band.label) }
                }
            }
            @for points in [0.0, 25.0, 50.0, 75.0, 100.0] {
                line.grid x1="6%" x2="97%" y1=(y(points)) y2=(y(points)) {}
                text.scale x="5%" y=(y(points - 2.0)) text-anchor="end" { (points) }
            }
            @for point in calls {
                @let dot = html! { circle.call cx=(x(point.at)) cy=(y(point.value.mean)) r="3" { title { (point.label) } } };
                @if let Some(href) = &point.href { a href=(href) aria-label=(point.label) tabindex="-1" { (dot) } } @else { (dot) }
            }
            @for point in means {
                @if let Some((low, high)) = point.value.interval {
                    line.whisker x1=(x(point.at)) x2=(x(point.at)) y1=(y(low)) y2=(y(high)) {}
                }
                circle.dot.open[point.value.interval.is_none()] cx=(x(point.at)) cy=(y(point.value.mean)) r="4.5" {
                    title { (point.label) }
                }
            }
            @for (at, label) in ticks {
                text.scale x=(x(*at)) y="192" text-anchor=(if *at < 0.1 { "start" } else if *at > 0.9 { "end" } else { "middle" }) { (label) }
            }
        }
    }
}

/// Which of five steps of one hue a share of the largest value gets, 1…5; 0 for nothing.
pub fn step(value: f64, largest: f64) -> usize {
    if value <= 0.0 || largest <= 0.0 { 0 } else { ((value / largest * 5.0).ceil() as usize).clamp(1, 5) }
}

/// A block of speech of the strip.
pub struct Block {
    pub begin: f64,
    pub end: f64,
    /// The element that a click leads to.
    pub href: String,
    /// Class of its filling.
    pub sentiment: &'static str,
    pub label: String,
    /// 0…1 of the lane's height.
    pub pace: Option<f64>,
}

/// A stretch without an own link.
pub struct Stretch {
    pub begin: f64,
    pub end: f64,
    pub class: &'static str,
    pub label: String,
}

/// A flag above the lanes.
pub struct Pin {
    pub at: f64,
    pub href: String,
    pub text: String,
    pub label: String,
    pub class: &'static str,
}

/// The communication strip.
pub struct Strip<'a> {
    pub id: &'a str,
    pub title: &'a str,
    pub description: &'a str,
    pub rep: Vec<Block>,
    pub customer: Vec<Block>,
    pub silences: Vec<Stretch>,
    pub overlaps: Vec<Stretch>,
    pub pins: Vec<Pin>,
    /// Place and label.
    pub ticks: Vec<(f64, String)>,
}

/// Rows of pins before they overlap.
const PIN_ROWS: usize = 3;
const LANE: f64 = 30.0;

/// Upper edges of the rep's and the customer's lane below the pins.
fn lanes(pin_rows: &[usize]) -> (f64, f64) {
    let used = pin_rows.iter().max().map_or(0, |row| row + 1);
    let top = 20.0 * used as f64 + 4.0;
    (top, top + LANE + 10.0)
}

fn px(value: f64) -> String {
    format!("{value:.0}")
}

impl Strip<'_> {
    /// Time from left to right: pins, the rep's lane, both speaking, the customer's lane, the axis.
    pub fn draw(&self) -> Markup {
        let rows = self.pin_rows();
        let (rep, customer) = lanes(&rows);
        let bottom = customer + LANE;
        let hatch = format!("{}-hatch", self.id);
        html! {
            svg.strip role="group" aria-label=(self.title) height=(px(bottom + 20.0)) {
                title { (self.title) }
                desc { (self.description) }
                defs {
                    pattern id=(hatch) width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                        line.hatch x1="0" y1="0" x2="0" y2="6" {}
                    }
                }
                rect.lane x="0" width="100%" y=(px(rep)) height=(LANE) {}
                rect.lane x="0" width="100%" y=(px(customer)) height=(LANE) {}
                @for silence in &self.silences {
                    rect class=(silence.class) fill=(format!("url(#{hatch})")) x=(percent(silence.begin)) width=(percent(silence.end - silence.begin)) y=(px(rep)) height=(px(bottom - rep)) {
                        title { (silence.label) }
                    }
                }
                @for (lane, blocks) in [(rep, &self.rep), (customer, &self.customer)] {
                    @for block in blocks {
                        a.block href=(block.href) tabindex="-1" {
                            title { (block.label) }
                            rect class=(block.sentiment) x=(percent(block.begin)) width=(percent((block.end - block.begin).max(0.001))) y=(px(lane)) height=(LANE) {}
                            @if let Some(pace) = block.pace {
                                line.pace x1=(percent(block.begin)) x2=(percent(block.end)) y1=(format!("{:.1}", lane + LANE - 2.0 - pace * (LANE - 4.0))) y2=(format!("{:.1}", lane + LANE - 2.0 - pace * (LANE - 4.0))) {}
                            }
                        }
                    }
                }
                @for overlap in &self.overlaps {
                    rect class=(overlap.class) x=(percent(overlap.begin)) width=(percent((overlap.end - overlap.begin).max(0.001))) y=(px(rep + LANE + 2.0)) height="6" {
                        title { (overlap.label) }
                    }
                }
                @for (pin, row) in self.pins.iter().zip(&rows) {
                    @let y = 20.0 * *row as f64 + 10.0;
                    a.pin.(pin.class) href=(pin.href) aria-label=(format!("{} {}", pin.text, pin.label)) {
                        title { (pin.label) }
                        line x1=(percent(pin.at)) x2=(percent(pin.at)) y1=(px(y)) y2=(px(bottom)) {}
                        circle cx=(percent(pin.at)) cy=(px(y)) r="9" {}
                        text x=(percent(pin.at)) y=(px(y + 4.0)) text-anchor="middle" { (pin.text) }
                    }
                }
                @for (at, label) in &self.ticks {
                    line.tick x1=(percent(*at)) x2=(percent(*at)) y1=(px(bottom)) y2=(px(bottom + 4.0)) {}
                    text.scale x=(percent(*at)) y=(px(bottom + 16.0)) text-anchor=(if *at < 0.02 { "start" } else if *at > 0.98 { "end" } else { "middle" }) { (label) }
                }
                line.playhead x1="0" x2="0" y1="0" y2=(px(bottom)) {}
            }
        }
    }

    /// The names of the lanes, beside the strip: they stay when a long one scrolls.
    pub fn labels(&self, rep: &str, customer: &str) -> Markup {
        let (upper, lower) = lanes(&self.pin_rows());
        html! {
            svg.strip-labels aria-hidden="true" height=(px(lower + LANE + 20.0)) {
                text x="100%" y=(px(upper + LANE / 2.0 + 4.0)) text-anchor="end" { (rep) }
                text x="100%" y=(px(lower + LANE / 2.0 + 4.0)) text-anchor="end" { (customer) }
            }
        }
    }

    /// A row for each pin, so that neighbours do not cover each other at the usual width.
    fn pin_rows(&self) -> Vec<usize> {
        let mut ends = [f64::NEG_INFINITY; PIN_ROWS];
        let place = |pin: &Pin| {
            let row = (0..PIN_ROWS).find(|row| pin.at - ends[*row] > 0.025).unwrap_or(PIN_ROWS - 1);
            ends[row] = pin.at;
            row
        };
        self.pins.iter().map(place).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_cover_the_range() {
        let steps: Vec<usize> = [0.0, 0.1, 20.0, 20.1, 99.0, 100.0].iter().map(|v| step(*v, 100.0)).collect();
        assert_eq!(steps, [0, 1, 1, 2, 5, 5]);
        assert_eq!(step(5.0, 0.0), 0);
    }

    #[test]
    fn marks_outside_of_the_axis_stay_on_its_edge() {
        let value = Mean { n: 3, mean: 104_000.0, interval: Some((-5_000.0, 120_000.0)) };
        let drawn = interval(&value, None, 100_000.0, "x < y").into_string();
        assert!(drawn.contains("cx=\"100.00%\"") && drawn.contains("x1=\"0.00%\""), "{drawn}");
        assert!(drawn.contains("x &lt; y") && !drawn.contains("x < y"), "{drawn}");
    }
}
