//! Makes a compiled template refuse values where handlebars would write nothing, or `[object]`.

use std::collections::HashMap;

use handlebars::Template;
use handlebars::template::{HelperTemplate, Parameter, Subexpression, TemplateElement};

use super::HELPERS;
use super::helpers::{ITEMS, PART_OF_TEXT};

/// Lets every expression of a text, and what every `each` goes through, be checked when it is rendered.
pub(super) fn check_values(template: &mut Template) {
    for element in &mut template.elements {
        match element {
            TemplateElement::Expression(call) => *element = *checked(PART_OF_TEXT, value_of(call)).element,
            TemplateElement::HelperBlock(block) => check_block(block),
            // Text and comments; everything else is refused when the template is analysed.
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
