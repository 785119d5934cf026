//! What was measured: a table of ratios for the terminal and the report, all figures as CSV, and a picture.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::masks::{self, MaskRow};
use crate::peers::{FLOOR, NULL_COPY, OURS};

/// The least time of one message.
pub struct Row {
    pub workload: &'static str,
    pub role: &'static str,
    pub read: usize,
    pub peer: &'static str,
    pub ns: f64,
}

impl Row {
    fn is_peer(&self) -> bool {
        !OURS.contains(&self.peer) && self.peer != FLOOR && self.peer != NULL_COPY
    }
}

/// The rows of one workload, role and size of reads.
struct Group<'r>(Vec<&'r Row>);

impl<'r> Group<'r> {
    fn all(rows: &'r [Row]) -> Vec<Self> {
        let mut groups: Vec<Self> = Vec::new();
        for row in rows {
            match groups.last_mut() {
                Some(group) if group.key() == (row.read, row.role, row.workload) => group.0.push(row),
                _ => groups.push(Self(vec![row])),
            }
        }
        groups.sort_by_key(|group| (std::cmp::Reverse(group.0[0].read), std::cmp::Reverse(group.0[0].role)));
        groups
    }

    fn key(&self) -> (usize, &str, &str) {
        let first = self.0[0];
        (first.read, first.role, first.workload)
    }

    fn of(&self, peer: &str) -> f64 {
        self.0.iter().find(|row| row.peer == peer).map_or(f64::NAN, |row| row.ns)
    }

    /// The best of the other libraries.
    fn best(&self) -> (&str, f64) {
        let best = self.0.iter().filter(|row| row.is_peer()).min_by(|a, b| a.ns.total_cmp(&b.ns));
        best.map_or(("-", f64::NAN), |row| (row.peer, row.ns))
    }

    /// The better of the two ways to lend: what a user would choose for such messages.
    fn ours(&self) -> f64 {
        self.of(OURS[0]).min(self.of(OURS[1]))
    }
}

/// Prints the table; writes `STEM.csv` and `STEM.svg`.
pub fn echoes(rows: &[Row], stem: Option<&Path>) {
    let groups = Group::all(rows);
    let mut before = (0, "");
    for group in &groups {
        let (read, role, workload) = group.key();
        if before != (read, role) {
            before = (read, role);
            println!("\n{role}, reads of {read} octets; nanoseconds a message, the least of all rounds\n");
            println!(
                "| workload | hybi lent | own | owned | floor | best peer | ours / best peer | ours / floor | owned / floor |"
            );
            println!("|---|---:|---:|---:|---:|---:|---:|---:|---:|");
        }
        let (name, best) = group.best();
        let [lent, own, owned] = OURS.map(|peer| group.of(peer));
        let (ours, floor) = (group.ours(), group.of(FLOOR));
        println!(
            "| {workload} | {lent:.1} | {own:.1} | {owned:.1} | {floor:.1} | {name} {best:.1} | {:.2} | {:.2} | {:.2} |",
            ours / best,
            ours / floor,
            owned / floor,
        );
    }
    let Some(stem) = stem else { return };
    let mut csv = String::from("role,read,workload,library,ns_per_message\n");
    for row in rows {
        let _ = writeln!(csv, "{},{},{},{},{:.2}", row.role, row.read, row.workload, row.peer, row.ns);
    }
    write(stem, "csv", &csv);
    write(stem, "svg", &picture(&groups));
}

fn write(stem: &Path, extension: &str, text: &str) {
    let path = stem.with_extension(extension);
    fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

const ROW: f64 = 18.0;
const LEFT: f64 = 250.0;
const WIDTH: f64 = 620.0;
/// The picture ends at so many times the floor.
const MOST: f64 = 64.0;

/// Where a ratio to the floor stands: a logarithmic scale from a half on.
fn x(ratio: f64) -> f64 {
    LEFT + WIDTH * (ratio.clamp(0.5, MOST).log2() + 1.0) / (MOST.log2() + 1.0)
}

/// One line a workload, one dot a library, at its time divided by that of the floor.
fn picture(groups: &[Group<'_>]) -> String {
    let height = ROW * groups.len() as f64 + 90.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{:.0}\" height=\"{height:.0}\" \
         font-family=\"sans-serif\" font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"10\" y=\"18\" font-size=\"13\">Echo in memory: time of a message as a multiple of the floor \
         codec's (less is better)</text>\n\
         <circle cx=\"16\" cy=\"32\" r=\"4.5\" fill=\"#c2410c\"/><text x=\"26\" y=\"36\">hybi, lent</text>\n\
         <circle cx=\"116\" cy=\"32\" r=\"4.5\" fill=\"none\" stroke=\"#c2410c\" stroke-width=\"1.5\"/>\
         <text x=\"126\" y=\"36\">hybi, owned</text>\n\
         <circle cx=\"226\" cy=\"32\" r=\"3.5\" fill=\"#64748b\" fill-opacity=\"0.6\"/>\
         <text x=\"236\" y=\"36\">other libraries</text>\n",
        LEFT + WIDTH + 30.0
    );
    for ratio in [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0] {
        let (at, colour) = (x(ratio), if ratio == 1.0 { "#111" } else { "#ddd" });
        let _ = writeln!(
            svg,
            "<line x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"56\" y2=\"{:.0}\" stroke=\"{colour}\"/>\
             <text x=\"{at:.1}\" y=\"52\" text-anchor=\"middle\">{ratio}</text>",
            height - 20.0
        );
    }
    for (i, group) in groups.iter().enumerate() {
        let y = 70.0 + ROW * i as f64;
        let (read, role, workload) = group.key();
        let _ = writeln!(svg, "<text x=\"10\" y=\"{:.1}\">{role} {workload}, reads {read}</text>", y + 4.0);
        for row in group.0.iter().filter(|row| row.is_peer()) {
            let at = x(row.ns / group.of(FLOOR));
            let _ = writeln!(
                svg,
                "<circle cx=\"{at:.1}\" cy=\"{y:.1}\" r=\"3.5\" fill=\"#64748b\" fill-opacity=\"0.6\"><title>{}</title></circle>",
                row.peer
            );
        }
        let floor = group.of(FLOOR);
        let _ = writeln!(
            svg,
            "<circle cx=\"{:.1}\" cy=\"{y:.1}\" r=\"4.5\" fill=\"none\" stroke=\"#c2410c\" stroke-width=\"1.5\"/>\
             <circle cx=\"{:.1}\" cy=\"{y:.1}\" r=\"4.5\" fill=\"#c2410c\"/>",
            x(group.of(OURS[2]) / floor),
            x(group.ours() / floor)
        );
    }
    svg.push_str("</svg>\n");
    svg
}

/// Prints what kernels cost the code beside them.
pub fn others(rows: &[(&str, f64)]) {
    println!("\ntime of other code behind a kernel, as a multiple of its time without\n");
    println!("| kernel | other code |");
    println!("|---|---:|");
    for (kernel, ratio) in rows {
        println!("| {kernel} | {ratio:.2} |");
    }
}

/// Prints the table of kernels; writes `STEM.csv`.
pub fn masks(rows: &[MaskRow], stem: Option<&Path>) {
    println!("\nmasking in place; nanoseconds a payload, the least of all rounds\n");
    println!(
        "| octets, at | call alone | hybi | floor | best peer | hybi's speed / best peer's | hybi's speed / floor's | with ASCII / floor's |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|");
    for len in masks::LENGTHS {
        for offset in masks::OFFSETS {
            let here = || rows.iter().filter(move |row| (row.len, row.offset) == (len, offset));
            let of = |kernel: &str| here().find(|row| row.kernel == kernel).map_or(f64::NAN, |row| row.ns);
            let peers =
                here().filter(|row| !row.kernel.starts_with("hybi") && !row.kernel.starts_with("floor"));
            let Some(best) = peers.min_by(|a, b| a.ns.total_cmp(&b.ns)) else { continue };
            let (ours, floor) = (of(masks::OURS), of(masks::LIMIT));
            println!(
                "| {len} +{offset} | {:.2} | {ours:.2} | {floor:.2} | {} {:.2} | {:.2} | {:.2} | {:.2} |",
                of(masks::CALL),
                best.kernel,
                best.ns,
                best.ns / ours,
                floor / ours,
                of(masks::LIMIT_ASCII) / of(masks::OURS_ASCII),
            );
        }
    }
    let Some(stem) = stem else { return };
    let mut csv = String::from("octets,offset,kernel,ns\n");
    for row in rows {
        let _ = writeln!(csv, "{},{},\"{}\",{:.3}", row.len, row.offset, row.kernel, row.ns);
    }
    write(stem, "csv", &csv);
}
