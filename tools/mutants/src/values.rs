//! Which plain values a function could give instead of what it computes, told from its return type alone.

use syn::{GenericArgument, PathArguments, ReturnType, Type};

/// Expressions of the type, most likely of that type. None if nothing plain is of it.
pub fn of_return(output: &ReturnType) -> Vec<String> {
    match output {
        ReturnType::Default => vec!["()".into()],
        ReturnType::Type(_, ty) => of(ty),
    }
}

fn of(ty: &Type) -> Vec<String> {
    match ty {
        Type::Tuple(tuple) => tuple
            .elems
            .iter()
            .fold(vec![String::new()], |rows, element| {
                let values = of(element);
                rows.iter()
                    .flat_map(|row| values.iter().map(move |value| format!("{row}{value}, ")))
                    .collect()
            })
            .into_iter()
            .map(|row| format!("({row})"))
            .take(6)
            .collect(),
        Type::Array(array) => of(&array.elem).into_iter().map(|value| format!("[{value}; _]")).collect(),
        Type::Reference(reference) => of_reference(&reference.elem, reference.mutability.is_some()),
        Type::Paren(paren) => of(&paren.elem),
        Type::Path(path) => of_path(path),
        _ => Vec::new(),
    }
}

fn of_reference(to: &Type, mutable: bool) -> Vec<String> {
    match to {
        Type::Path(path) if path.path.is_ident("str") && !mutable => vec!["\"\"".into(), "\"xyzzy\"".into()],
        Type::Slice(slice) => std::iter::once("::std::vec::Vec::leak(::std::vec::Vec::new())".into())
            .chain(of(&slice.elem).into_iter().map(|v| format!("::std::vec::Vec::leak(::std::vec![{v}])")))
            .collect(),
        Type::Path(path) if !path.path.is_ident("Self") || !mutable => of(to)
            .into_iter()
            .map(|v| format!("::std::boxed::Box::leak(::std::boxed::Box::new({v}))"))
            .collect(),
        _ => Vec::new(),
    }
}

fn of_path(path: &syn::TypePath) -> Vec<String> {
    let Some(last) = path.path.segments.last() else { return Vec::new() };
    let inner = || -> Vec<&Type> {
        match &last.arguments {
            PathArguments::AngleBracketed(arguments) => arguments
                .args
                .iter()
                .filter_map(|argument| match argument {
                    GenericArgument::Type(ty) => Some(ty),
                    _ => None,
                })
                .collect(),
            _ => Vec::new(),
        }
    };
    let of_first = |form: &dyn Fn(String) -> String| -> Vec<String> {
        inner().first().map_or(Vec::new(), |ty| of(ty).into_iter().map(form).collect())
    };
    let list = |values: &[&str]| values.iter().map(|&value| value.into()).collect();
    match last.ident.to_string().as_str() {
        "bool" => list(&["true", "false"]),
        "u8" | "u16" | "u32" | "u64" | "u128" | "usize" => list(&["0", "1"]),
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" => list(&["0", "1", "-1"]),
        "f32" | "f64" => list(&["0.0", "1.0", "-1.0"]),
        "String" => list(&["::std::string::String::new()", "\"xyzzy\".into()"]),
        "Option" => {
            let mut values = vec!["None".to_string()];
            values.extend(of_first(&|value| format!("Some({value})")));
            values
        }
        "Result" if inner().is_empty() => list(&["Ok(Default::default())"]),
        "Result" => of_first(&|value| format!("Ok({value})")),
        "Box" | "Rc" | "Arc" => of_first(&|value| format!("{}::new({value})", last.ident)),
        "Vec" => {
            let mut values = vec!["::std::vec::Vec::new()".to_string()];
            values.extend(of_first(&|value| format!("::std::vec![{value}]")));
            values
        }
        _ => list(&["Default::default()"]),
    }
}
