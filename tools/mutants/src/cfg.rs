//! Which code is compiled: `cfg` as the compiler judges it, for the features that the crate is built with.

use std::collections::HashSet;

use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, Lit, Meta, Token};

pub struct Cfg {
    /// As `rustc --print cfg` writes them, and `feature="name"` for each feature.
    pub set: HashSet<String>,
}

impl Cfg {
    /// Whether code with these attributes is in the program itself: compiled, and not for tests alone.
    pub fn is_in(&self, attributes: &[Attribute]) -> bool {
        attributes.iter().all(|attribute| match &attribute.meta {
            Meta::Path(path) => !path.is_ident("test"),
            Meta::List(list) if list.path.is_ident("cfg") => {
                list.parse_args::<Meta>().is_ok_and(|meta| self.holds(&meta))
            }
            _ => true,
        })
    }

    /// What stands in `#[path = ".."]`.
    pub fn path(attributes: &[Attribute]) -> Option<String> {
        attributes.iter().find_map(|attribute| match &attribute.meta {
            Meta::NameValue(pair) if pair.path.is_ident("path") => text(&pair.value),
            _ => None,
        })
    }

    fn holds(&self, meta: &Meta) -> bool {
        let name = |path: &syn::Path| path.get_ident().map(ToString::to_string).unwrap_or_default();
        match meta {
            Meta::Path(path) => self.set.contains(&name(path)),
            Meta::NameValue(pair) => {
                let value = text(&pair.value).unwrap_or_default();
                self.set.contains(&format!("{}=\"{value}\"", name(&pair.path)))
            }
            Meta::List(list) => {
                let parts =
                    list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated).unwrap_or_default();
                match name(&list.path).as_str() {
                    "all" => parts.iter().all(|part| self.holds(part)),
                    "any" => parts.iter().any(|part| self.holds(part)),
                    "not" => !parts.iter().any(|part| self.holds(part)),
                    _ => false,
                }
            }
        }
    }
}

fn text(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(text) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}
