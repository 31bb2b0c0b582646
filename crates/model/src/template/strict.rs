//! Changes a compiled template before it is kept: it refuses values where handlebars would write nothing, or `[object]`,
//! and an expression that is all of a template renders JSON.

use std::collections::HashMap;

use handlebars::Template;
use handlebars::template::{HelperTemplate, Parameter, Subexpression, TemplateElement};

use super::HELPERS;
use super::helpers::{ITEMS, PART_OF_TEXT};

/// The template that renders the value of an expression as JSON.
pub(super) fn as_json(call: &HelperTemplate) -> Template {
    let mut template = Template::default();
    template.elements.push(*checked("json", value_of(call)).element);
    template
}

/// Lets rendering check the value of every expression of a text, and the list of every `each`.
pub(super) fn check_values(template: &mut Template) {
    // Nobody is told the line of an expression inside a template.
    template.mapping = Vec::new();
    for element in &mut template.elements {
        match element {
            TemplateElement::Expression(call) => *element = *checked(PART_OF_TEXT, value_of(call)).element,
            TemplateElement::HelperBlock(block) => check_block(block),
            // Text and comments; everything else is refused when the template is compiled.
            _ => {}
        }
    }
}

fn check_block(block: &mut HelperTemplate) {
    if block.name.as_name() == Some("each")
        && let [list] = block.params.as_mut_slice()
    {
        *list = Parameter::Subexpression(checked(ITEMS, list.clone()));
    }
    block.template.iter_mut().chain(&mut block.inverse).for_each(check_values);
}

/// What is written between braces, as a value: a call of a helper, or a name.
fn value_of(call: &HelperTemplate) -> Parameter {
    let is_helper = HELPERS.iter().any(|(helper, ..)| call.name.as_name() == Some(helper));
    match is_helper {
        true => Parameter::Subexpression(Subexpression::new(
            call.name.clone(),
            call.params.clone(),
            HashMap::new(),
        )),
        false => call.name.clone(),
    }
}

fn checked(check: &str, value: Parameter) -> Subexpression {
    Subexpression::new(Parameter::Name(check.to_owned()), vec![value], HashMap::new())
}
