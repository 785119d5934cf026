//! Finds what can be changed in the files of a crate, beginning at `lib.rs`: places in the text, and at each what could
//! stand there instead. The operators are those of cargo-mutants, and a few comparisons more.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{BinOp, Block, Expr, ImplItem, Item, Pat, Signature, Stmt, TraitItem, UnOp};

use crate::cfg::Cfg;
use crate::values;

/// All that could be changed.
#[derive(Default)]
pub struct Found {
    pub files: Vec<File>,
    /// In the order of their ids, which begin with 1.
    pub mutants: Vec<Mutant>,
    pub const_fns: Vec<ConstFn>,
}

pub struct File {
    /// Below `src`.
    pub name: String,
    pub text: String,
    pub places: Vec<Place>,
}

/// A changed program.
pub struct Mutant {
    pub file: usize,
    /// `file:line:column: what in which function`; nothing in it depends on the other mutants.
    pub name: String,
    /// The innermost `const fn` it is in.
    pub const_fn: Option<usize>,
}

/// A function that is made an ordinary one, where nothing needs it to be `const`.
pub struct ConstFn {
    pub owner: String,
    pub name: String,
    pub place: String,
}

/// Where the text is changed.
pub struct Place {
    pub range: Range<usize>,
    pub edit: Edit,
}

pub enum Edit {
    /// An expression, or others of the same type: ids and texts.
    Expression(Vec<(u32, String)>),
    /// The beginning of a body, which may return at once: ids and values.
    Body(Vec<(u32, String)>),
    /// The end of a pattern, or the guard behind it. The arm may be gone, or its guard hold always or never.
    Arm { gone: Option<u32>, always: Option<u32>, never: Option<u32> },
    /// The word `const` of a function.
    Const(usize),
}

impl Edit {
    pub fn ids(&self) -> Vec<u32> {
        match self {
            Self::Expression(all) | Self::Body(all) => all.iter().map(|(id, _)| *id).collect(),
            Self::Arm { gone, always, never } => {
                [gone, always, never].into_iter().flatten().copied().collect()
            }
            Self::Const(_) => Vec::new(),
        }
    }
}

/// Reads `src/lib.rs` and all modules below it that are compiled. Files whose name is in `skip` stay as they are.
pub fn find(src: &Path, cfg: &Cfg, skip: &[String]) -> Result<Found, String> {
    let mut found = Found::default();
    let mut open = vec![src.join("lib.rs")];
    while let Some(path) = open.pop() {
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let tree = syn::parse_file(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        if !cfg.is_in(&tree.attrs) {
            continue;
        }
        let mut modules = Vec::new();
        below(&path, &tree.items, cfg, &mut modules);
        modules.reverse();
        open.append(&mut modules);
        let name = path.strip_prefix(src).expect("it is below").to_string_lossy().replace('\\', "/");
        if skip.contains(&name) {
            continue;
        }
        found.files.push(File { name, text: text.clone(), places: Vec::new() });
        let mut finder =
            Finder { cfg, text: &text, owner: Vec::new(), function: Vec::new(), const_fn: None, found };
        finder.visit_file(&tree);
        found = finder.found;
        let places = &mut found.files.last_mut().expect("it was pushed").places;
        // What stands around comes first; what is put in at a place comes before what begins there.
        places
            .sort_by_key(|place| (place.range.start, !place.range.is_empty(), usize::MAX - place.range.end));
    }
    Ok(found)
}

/// The files of modules that are declared here.
fn below(path: &Path, items: &[Item], cfg: &Cfg, modules: &mut Vec<PathBuf>) {
    let folder = path.parent().expect("a file is in a folder");
    let stem = path.file_stem().expect("a file has a name");
    let home = if ["lib", "main", "mod"].iter().any(|name| stem == *name) {
        folder.into()
    } else {
        folder.join(stem)
    };
    for item in items {
        let Item::Mod(module) = item else { continue };
        if !cfg.is_in(&module.attrs) || module.content.is_some() {
            continue;
        }
        let name = module.ident.to_string();
        let candidates = match Cfg::path(&module.attrs) {
            Some(named) => vec![folder.join(named)],
            None => vec![home.join(format!("{name}.rs")), home.join(name).join("mod.rs")],
        };
        modules.extend(candidates.into_iter().find(|candidate| candidate.exists()));
    }
}

struct Finder<'f> {
    cfg: &'f Cfg,
    text: &'f str,
    /// The types whose items these are.
    owner: Vec<String>,
    function: Vec<String>,
    const_fn: Option<usize>,
    found: Found,
}

impl Finder<'_> {
    fn source(&self, node: &impl Spanned) -> &str {
        &self.text[node.span().byte_range()]
    }

    fn mutant(&mut self, at: proc_macro2::Span, what: &str) -> u32 {
        let start = at.start();
        let file = self.found.files.len() - 1;
        let mut within: Vec<&str> = self.owner.iter().map(String::as_str).collect();
        within.extend(self.function.last().map(String::as_str));
        let what: String = what.split_whitespace().collect::<Vec<_>>().join(" ");
        let name = format!(
            "{}:{}:{}: {what} in {}",
            self.found.files[file].name,
            start.line,
            start.column + 1,
            within.join("::")
        );
        self.found.mutants.push(Mutant { file, name, const_fn: self.const_fn });
        self.found.mutants.len() as u32
    }

    fn place(&mut self, range: Range<usize>, edit: Edit) {
        self.found.files.last_mut().expect("one is open").places.push(Place { range, edit });
    }

    /// One expression instead of another, each with what is said of it.
    fn expression(&mut self, whole: &impl Spanned, at: proc_macro2::Span, others: Vec<(String, String)>) {
        if self.function.is_empty() {
            return; // a constant
        }
        let others: Vec<_> = others.into_iter().map(|(what, text)| (self.mutant(at, &what), text)).collect();
        if !others.is_empty() {
            self.place(whole.span().byte_range(), Edit::Expression(others));
        }
    }

    fn function(&mut self, attributes: &[syn::Attribute], signature: &Signature, body: Option<&Block>) {
        let Some(body) = body else { return };
        if !self.cfg.is_in(attributes) || signature.unsafety.is_some() {
            return;
        }
        self.function.push(signature.ident.to_string());
        let outer = self.const_fn;
        if let Some(word) = signature.constness {
            self.found.const_fns.push(ConstFn {
                owner: self.owner.last().cloned().unwrap_or_default(),
                name: signature.ident.to_string(),
                place: format!(
                    "{}:{}",
                    self.found.files.last().expect("one is open").name,
                    signature.ident.span().start().line
                ),
            });
            self.const_fn = Some(self.found.const_fns.len() - 1);
            self.place(word.span().byte_range(), Edit::Const(self.found.const_fns.len() - 1));
        }
        if !body.stmts.is_empty() {
            let text = self.source(body).to_string();
            let inner = text.trim_start_matches('{').trim_end_matches('}').trim();
            let mut values = values::of_return(&signature.output);
            // `default` that calls itself has no end, and who calls it stays as it is.
            let is_default = signature.ident == "default" || inner == "Self::default()";
            values.retain(|value| value != inner && !(is_default && value == "Default::default()"));
            let at = signature.ident.span();
            let values: Vec<_> = values
                .into_iter()
                .map(|value| {
                    let said = value
                        .replace("::std::boxed::", "")
                        .replace("::std::vec::", "")
                        .replace("::std::", "");
                    (self.mutant(at, &format!("body gives {said}")), value)
                })
                .collect();
            if !values.is_empty() {
                let start = body.brace_token.span.open().byte_range().end;
                self.place(start..start, Edit::Body(values));
            }
        }
        self.visit_block(body);
        self.const_fn = outer;
        self.function.pop();
    }

    fn binary(&mut self, node: &syn::ExprBinary) {
        let others = instead_of(&node.op);
        // `let` may stand in a chain of `&&` and nowhere else.
        if others.is_empty() || has_let(&node.left) || has_let(&node.right) {
            return;
        }
        let (left, right) = (self.source(&node.left).to_string(), self.source(&node.right).to_string());
        let op = self.source(&node.op).to_string();
        let others = others
            .iter()
            .map(|other| (format!("{op} becomes {other}"), format!("({left}) {other} ({right})")))
            .collect();
        self.expression(node, node.op.span(), others);
    }

    fn arms(&mut self, node: &syn::ExprMatch) {
        let catches_all = |arm: &syn::Arm| arm.guard.is_none() && is_wildcard(&arm.pat);
        let wildcard = node.arms.iter().any(catches_all);
        for arm in &node.arms {
            let at = arm.pat.span();
            let pattern = self.source(&arm.pat).to_string();
            let gone =
                (wildcard && !catches_all(arm)).then(|| self.mutant(at, &format!("arm {pattern} is gone")));
            let end = at.byte_range().end;
            let edit = match &arm.guard {
                Some((_, guard)) if has_let(guard) => continue,
                Some((_, guard)) => {
                    let text = self.source(guard).to_string();
                    let always = Some(self.mutant(guard.span(), &format!("guard {text} always holds")));
                    let never = Some(self.mutant(guard.span(), &format!("guard {text} never holds")));
                    (guard.span().byte_range(), Edit::Arm { gone, always, never })
                }
                None if gone.is_some() => (end..end, Edit::Arm { gone, always: None, never: None }),
                None => continue,
            };
            self.place(edit.0, edit.1);
        }
    }

    /// A field that is taken from `..base` instead.
    fn fields(&mut self, node: &syn::ExprStruct) {
        let Some(rest) = &node.rest else { return };
        let rest = self.source(rest).to_string();
        let path = self.source(&node.path).to_string();
        let fields: Vec<_> = node.fields.iter().map(|field| self.source(field).to_string()).collect();
        let others = (0..fields.len())
            .map(|gone| {
                let name = self.source(&node.fields[gone].member).to_string();
                let kept: String =
                    (0..fields.len()).filter(|i| *i != gone).map(|i| fields[i].clone() + ", ").collect();
                (format!("field {name} is as in the rest"), format!("{path} {{ {kept}..{rest} }}"))
            })
            .collect();
        self.expression(node, node.path.span(), others);
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        match item {
            Item::Fn(f) => self.function(&f.attrs, &f.sig, Some(&f.block)),
            Item::Mod(module) if self.cfg.is_in(&module.attrs) => visit::visit_item_mod(self, module),
            Item::Impl(block) if self.cfg.is_in(&block.attrs) => {
                let name = match &*block.self_ty {
                    syn::Type::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()),
                    _ => None,
                };
                let of = block.trait_.as_ref().and_then(|(_, path, _)| path.segments.last());
                if of.is_some_and(|of| of.ident == "Debug") {
                    return; // what it writes is for people
                }
                self.owner.push(name.unwrap_or_else(|| "impl".into()));
                for item in &block.items {
                    if let ImplItem::Fn(f) = item {
                        self.function(&f.attrs, &f.sig, Some(&f.block));
                    }
                }
                self.owner.pop();
            }
            Item::Trait(block) if self.cfg.is_in(&block.attrs) => {
                self.owner.push(block.ident.to_string());
                for item in &block.items {
                    if let TraitItem::Fn(f) = item {
                        self.function(&f.attrs, &f.sig, f.default.as_ref());
                    }
                }
                self.owner.pop();
            }
            _ => {} // constants and types: nothing in them is run
        }
    }

    fn visit_stmt(&mut self, statement: &'ast Stmt) {
        let attributes: &[syn::Attribute] = match statement {
            Stmt::Local(local) => &local.attrs,
            Stmt::Expr(Expr::Block(block), _) => &block.attrs,
            Stmt::Expr(Expr::If(branch), _) => &branch.attrs,
            _ => &[],
        };
        if self.cfg.is_in(attributes) {
            visit::visit_stmt(self, statement);
        }
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        if self.cfg.is_in(&arm.attrs) {
            visit::visit_arm(self, arm);
        }
    }

    fn visit_expr(&mut self, expression: &'ast Expr) {
        match expression {
            Expr::Binary(node) => self.binary(node),
            Expr::Unary(node) => {
                let operand = format!("({})", self.source(&node.expr));
                match node.op {
                    UnOp::Not(_) => {
                        self.expression(node, node.op.span(), vec![("! is gone".into(), operand)])
                    }
                    UnOp::Neg(_) => {
                        self.expression(node, node.op.span(), vec![("- is gone".into(), operand)])
                    }
                    _ => {}
                }
            }
            Expr::Match(node) => self.arms(node),
            Expr::Struct(node) => self.fields(node),
            Expr::Macro(node) if node.mac.path.is_ident("matches") => {
                let text = format!("!{}", self.source(node));
                self.expression(node, node.mac.path.span(), vec![("matches! is negated".into(), text)]);
            }
            Expr::Repeat(node) => return self.visit_expr(&node.expr),
            Expr::Unsafe(_) | Expr::Const(_) => return,
            _ => {}
        }
        visit::visit_expr(self, expression);
    }

    // Nothing of these is changed.
    fn visit_pat(&mut self, _: &'ast Pat) {}
    fn visit_type(&mut self, _: &'ast syn::Type) {}
    fn visit_path(&mut self, _: &'ast syn::Path) {}
    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}
    fn visit_generics(&mut self, _: &'ast syn::Generics) {}
    fn visit_angle_bracketed_generic_arguments(&mut self, _: &'ast syn::AngleBracketedGenericArguments) {}
}

fn is_wildcard(pattern: &Pat) -> bool {
    match pattern {
        Pat::Wild(_) => true,
        Pat::Ident(name) => name.subpat.is_none() && name.ident.to_string().starts_with(char::is_lowercase),
        _ => false,
    }
}

/// Whether a `let` stands in the chain itself.
fn has_let(expression: &Expr) -> bool {
    match expression {
        Expr::Let(_) => true,
        Expr::Binary(node) => has_let(&node.left) || has_let(&node.right),
        _ => false,
    }
}

fn instead_of(op: &BinOp) -> &'static [&'static str] {
    match op {
        BinOp::Add(_) => &["-", "*"],
        BinOp::Sub(_) => &["+", "/"],
        BinOp::Mul(_) => &["+", "/"],
        BinOp::Div(_) => &["%", "*"],
        BinOp::Rem(_) => &["/", "+"],
        BinOp::And(_) => &["||"],
        BinOp::Or(_) => &["&&"],
        BinOp::BitXor(_) => &["|", "&"],
        BinOp::BitAnd(_) => &["|", "^"],
        BinOp::BitOr(_) => &["&", "^"],
        BinOp::Shl(_) => &[">>"],
        BinOp::Shr(_) => &["<<"],
        BinOp::Eq(_) => &["!="],
        BinOp::Ne(_) => &["=="],
        BinOp::Lt(_) => &["==", ">", "<="],
        BinOp::Gt(_) => &["==", "<", ">="],
        BinOp::Le(_) => &[">", "<"],
        BinOp::Ge(_) => &["<", ">"],
        BinOp::AddAssign(_) => &["-=", "*="],
        BinOp::SubAssign(_) => &["+=", "/="],
        BinOp::MulAssign(_) => &["+=", "/="],
        BinOp::DivAssign(_) => &["%=", "*="],
        BinOp::RemAssign(_) => &["/=", "+="],
        BinOp::BitXorAssign(_) => &["|=", "&="],
        BinOp::BitAndAssign(_) => &["|=", "^="],
        BinOp::BitOrAssign(_) => &["&=", "^="],
        BinOp::ShlAssign(_) => &[">>="],
        BinOp::ShrAssign(_) => &["<<="],
        _ => &[],
    }
}
