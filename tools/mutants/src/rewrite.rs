//! Writes the text of a file with all its mutants in it, each behind the switch.

use std::collections::HashSet;
use std::ops::Range;

use crate::find::{Edit, File, Found, Place};

/// The crate's module with the switch.
pub const SWITCH: &str = "crate::mutant_switch";

/// What is left out of the text, because it does not compile.
#[derive(Default)]
pub struct Left {
    pub mutants: HashSet<u32>,
    /// Those that stay `const`, and as they are.
    pub const_fns: HashSet<usize>,
}

/// A text, and which part of it is of which mutant.
pub struct Written {
    pub text: String,
    /// The changed part of a mutant.
    pub changed: Vec<(u32, Range<usize>)>,
    /// All that was written in place of an expression, with all its mutants.
    pub around: Vec<(Vec<u32>, Range<usize>)>,
}

pub fn write(found: &Found, file: &File, left: &Left) -> Written {
    let mut writer = Writer {
        found,
        left,
        source: &file.text,
        out: Written { text: String::new(), changed: vec![], around: vec![] },
    };
    writer.range(0..file.text.len(), &file.places);
    writer.out
}

struct Writer<'w> {
    found: &'w Found,
    left: &'w Left,
    source: &'w str,
    out: Written,
}

impl Writer<'_> {
    /// A part of the source, with the places in it.
    fn range(&mut self, range: Range<usize>, mut places: &[Place]) {
        let mut at = range.start;
        while let Some((place, rest)) = places.split_first() {
            let within = rest.iter().take_while(|inner| inner.range.start < place.range.end).count();
            self.push(at..place.range.start);
            self.place(place, &rest[..within]);
            at = place.range.end;
            places = &rest[within..];
        }
        self.push(at..range.end);
    }

    fn push(&mut self, range: Range<usize>) {
        self.out.text.push_str(&self.source[range]);
    }

    fn say(&mut self, text: &str) {
        self.out.text.push_str(text);
    }

    fn changed(&mut self, id: u32, text: &str) {
        let start = self.out.text.len();
        self.say(text);
        self.out.changed.push((id, start..self.out.text.len()));
    }

    fn is_viable(&self, id: u32) -> bool {
        let in_const = self.found.mutants[id as usize - 1].const_fn;
        !self.left.mutants.contains(&id) && !in_const.is_some_and(|f| self.left.const_fns.contains(&f))
    }

    fn place(&mut self, place: &Place, inner: &[Place]) {
        let start = self.out.text.len();
        let ids: Vec<u32> = place.edit.ids().into_iter().filter(|id| self.is_viable(*id)).collect();
        match &place.edit {
            Edit::Const(f) if self.left.const_fns.contains(f) => self.range(place.range.clone(), inner),
            Edit::Const(_) => self.say("     "),
            _ if ids.is_empty() => self.range(place.range.clone(), inner),
            Edit::Expression(others) => self.expression(place, inner, others, &ids),
            Edit::Body(values) => {
                self.say(&format!(" if {SWITCH}::at({}, {}) {{", ids[0], ids[ids.len() - 1]));
                for (id, value) in values.iter().filter(|(id, _)| ids.contains(id)) {
                    self.say(&format!(" if {SWITCH}::is({id}) {{ return "));
                    self.changed(*id, value);
                    self.say("; }");
                }
                self.say(" }");
            }
            Edit::Arm { gone, always, never } => {
                let on = |id: &Option<u32>| {
                    id.filter(|id| ids.contains(id))
                        .map_or("false".into(), |id| format!("{SWITCH}::is({id})"))
                };
                let is_bare = place.range.is_empty();
                self.say(if is_bare { " if " } else { "(" });
                self.say(&format!("!{}", on(gone)));
                if !is_bare {
                    self.say(&format!(" && ({} || !{} && (", on(always), on(never)));
                    self.range(place.range.clone(), inner);
                    self.say(")))");
                }
            }
        }
        if !ids.is_empty() {
            self.out.around.push((ids, start..self.out.text.len()));
        }
    }

    /// The original comes first, so that what does not compile beside it is what was changed.
    fn expression(&mut self, place: &Place, inner: &[Place], others: &[(u32, String)], ids: &[u32]) {
        self.say(&format!("(if !{SWITCH}::at({}, {}) {{ ", ids[0], ids[ids.len() - 1]));
        self.range(place.range.clone(), inner);
        self.say(" }");
        for (id, text) in others.iter().filter(|(id, _)| ids.contains(id)) {
            match id == &ids[ids.len() - 1] {
                true => self.say(" else { "),
                false => self.say(&format!(" else if {SWITCH}::is({id}) {{ ")),
            }
            self.changed(*id, text);
            self.say(" }");
        }
        self.say(")");
    }
}
