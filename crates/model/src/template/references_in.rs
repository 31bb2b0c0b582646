//! Walks a compiled template and collects the names it uses.

use handlebars::template::{BlockParam, HelperTemplate, Parameter, TemplateElement};
use handlebars::{Path, PathSeg};

use super::reference::{ROOTS, Reference};
use super::{BLOCK_HELPERS, HELPERS, Mistake, Use};
use crate::suggest::did_you_mean;

/// Helpers that are not strict: handlebars lets them take what is not there for false.
const TAKE_MISSING_FOR_FALSE: &[&str] = &["if", "unless", "and", "or"];

#[derive(Debug, Default)]
pub(super) struct References {
    pub(super) uses: Vec<Use>,
    pub(super) mistakes: Vec<Mistake>,
}

/// What plain names mean at some place of a template.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scope<'t> {
    /// Names are those of the run.
    Top,
    /// Inside `each` or `with`, names are looked up in the value at hand.
    Inside {
        /// The names given with `as |name index|`, of this block and those around it.
        params: &'t [&'t str],
    },
}

impl References {
    pub(super) fn elements(&mut self, elements: &[TemplateElement], scope: Scope<'_>) {
        for element in elements {
            self.element(element, scope);
        }
    }

    fn element(&mut self, element: &TemplateElement, scope: Scope<'_>) {
        match element {
            TemplateElement::RawString(_) | TemplateElement::Comment(_) => {}
            TemplateElement::Expression(call) => self.call(call, scope),
            TemplateElement::HelperBlock(block) => self.block(block, scope),
            TemplateElement::HtmlExpression(_) => {
                let mistake =
                    Mistake::new("{{{", "values are never escaped, three braces mean nothing more than two");
                self.mistakes.push(mistake.help("write two braces"));
            }
            TemplateElement::PartialExpression(_) | TemplateElement::PartialBlock(_) => {
                self.refuse(">", "a template cannot include another one");
            }
            TemplateElement::DecoratorExpression(_) | TemplateElement::DecoratorBlock(_) => {
                self.refuse("*", "decorators are not supported");
            }
            // The enum is open. What a later handlebars adds is refused until it is understood here.
            _ => self.refuse("", "this kind of template is not supported"),
        }
    }

    fn refuse(&mut self, written: &str, message: &str) {
        self.mistakes.push(Mistake::new(written, message));
    }

    /// `{{ name }}` or `{{ helper value … }}`, also in parentheses.
    fn call(&mut self, call: &HelperTemplate, scope: Scope<'_>) {
        let name = call.name.as_name().unwrap_or_default();
        let given = call.params.len();
        match HELPERS.iter().find(|(helper, ..)| *helper == name) {
            Some((_, least, most)) if !(*least..=*most).contains(&given) => {
                let wanted = if least == most { format!("{least}") } else { format!("{least} or more") };
                self.refuse(name, &format!("`{name}` takes {wanted} value(s), here it has {given}"));
            }
            Some(_) => {}
            None if given == 0 && call.hash.is_empty() => return self.parameter(&call.name, scope),
            None => self.unknown_helper(name, HELPERS.iter().map(|(helper, ..)| *helper)),
        }
        self.hash(call);
        self.parameters(call, name, scope);
    }

    fn block(&mut self, block: &HelperTemplate, scope: Scope<'_>) {
        let name = block.name.as_name().unwrap_or_default();
        if !BLOCK_HELPERS.contains(&name) {
            self.unknown_helper(name, BLOCK_HELPERS.iter().copied());
        } else if block.params.len() != 1 {
            self.refuse(name, &format!("`#{name}` takes 1 value, here it has {}", block.params.len()));
        }
        self.hash(block);
        self.parameters(block, name, scope);
        let mut params = match scope {
            Scope::Top => Vec::new(),
            Scope::Inside { params } => params.to_vec(),
        };
        params.extend(block.block_param.iter().flat_map(names));
        let inside = if matches!(name, "each" | "with") { Scope::Inside { params: &params } } else { scope };
        if let Some(template) = &block.template {
            self.elements(&template.elements, inside);
        }
        if let Some(inverse) = &block.inverse {
            self.elements(&inverse.elements, scope);
        }
    }

    fn hash(&mut self, call: &HelperTemplate) {
        let mut keys: Vec<_> = call.hash.keys().collect();
        keys.sort();
        for key in keys {
            self.refuse(key, &format!("`{key}=` is not supported"));
        }
    }

    fn unknown_helper<'h>(&mut self, name: &str, known: impl Iterator<Item = &'h str> + Clone) {
        let help = did_you_mean(name, known.clone());
        let all = || format!("there are: {}", known.collect::<Vec<_>>().join(", "));
        let mistake = Mistake::new(name, format!("there is no helper `{name}`"));
        self.mistakes.push(mistake.help(help.unwrap_or_else(all)));
    }

    fn parameters(&mut self, call: &HelperTemplate, helper: &str, scope: Scope<'_>) {
        for parameter in &call.params {
            if let Some(written) = may_be_missing(parameter, scope)
                && TAKE_MISSING_FOR_FALSE.contains(&helper)
            {
                let message =
                    format!("`{written}` may be missing here, and `{helper}` would take it for false");
                let mistake = Mistake::new(written, message);
                self.mistakes.push(mistake.help(format!("compare it: `(eq {written} true)`")));
            }
            self.parameter(parameter, scope);
        }
    }

    fn parameter(&mut self, parameter: &Parameter, scope: Scope<'_>) {
        match parameter {
            Parameter::Literal(_) => {}
            Parameter::Subexpression(inner) => self.element(inner.as_element(), scope),
            Parameter::Name(name) => self.name(name, &name.split('.').collect::<Vec<_>>(), scope),
            // `@index` and the like, which only blocks set.
            Parameter::Path(Path::Local((0, name, written))) => match scope {
                Scope::Inside { .. } if matches!(name.as_str(), "index" | "key" | "first" | "last") => {}
                Scope::Top | Scope::Inside { .. } => {
                    self.refuse(written, &format!("nothing is named `{written}` here"));
                }
            },
            Parameter::Path(Path::Local((_, _, written))) => self.refuse_parent(written),
            Parameter::Path(Path::Relative((segments, written))) => self.path(segments, written, scope),
            // The enum is open, see above.
            _ => self.refuse("", "this kind of value is not supported"),
        }
    }

    fn path(&mut self, segments: &[PathSeg], written: &str, scope: Scope<'_>) {
        let names = segments.iter().filter_map(|segment| match segment {
            PathSeg::Named(name) => Some(name.as_str()),
            _ => None,
        });
        let parts: Vec<_> = names.collect();
        if written.starts_with("../") || written.contains("/../") {
            self.refuse_parent(written);
        } else if written.starts_with("@root") {
            self.name(written, &parts, Scope::Top);
        } else {
            self.name(written, &parts, scope);
        }
    }

    fn name(&mut self, written: &str, parts: &[&str], scope: Scope<'_>) {
        match (scope, parts) {
            (Scope::Inside { params }, [first, ..]) if params.contains(first) => {}
            (Scope::Inside { .. }, [first, ..]) if ROOTS.contains(first) => {
                let mistake =
                    Mistake::new(written, format!("inside `each` and `with`, `{written}` is not in reach"));
                self.mistakes.push(mistake.help(format!("write `@root.{}`", parts.join("."))));
            }
            // Part of a value that is known only when the template is rendered.
            (Scope::Inside { .. }, _) => {}
            (Scope::Top, _) => match Reference::new(parts) {
                Ok(reference) => self.uses.push(Use { written: written.to_owned(), reference }),
                Err(why) => self.mistakes.push(Mistake::new(written, why.message).help(why.help)),
            },
        }
    }

    fn refuse_parent(&mut self, written: &str) {
        let mistake = Mistake::new(written, "`../` is not supported");
        self.mistakes.push(mistake.help("write the whole name, `@root.inputs.NAME`"));
    }
}

/// A name that leads into a value at hand, of which nothing is known before the template is rendered.
fn may_be_missing<'t>(parameter: &'t Parameter, scope: Scope<'_>) -> Option<&'t str> {
    let (Parameter::Path(Path::Relative((segments, written))), Scope::Inside { params }) = (parameter, scope)
    else {
        return None;
    };
    let parts = segments.iter().filter(|segment| matches!(segment, PathSeg::Named(_))).count();
    let is_whole = parts == 0 || params.contains(&written.as_str()) || written.starts_with("@root");
    (!is_whole).then_some(written)
}

fn names(param: &BlockParam) -> Vec<&str> {
    let both = match param {
        BlockParam::Single(one) => [Some(one), None],
        BlockParam::Pair((one, two)) => [Some(one), Some(two)],
        // The enum is open; an unknown kind gives no name, so its use is a mistake.
        _ => [None, None],
    };
    both.into_iter().flatten().filter_map(Parameter::as_name).collect()
}
