//! Renders a compiled template: its value for the action, and the same with secrets masked for the journal.
//!
//! The context holds the values of the names that the template uses, and nothing else: a list of hosts is not copied for
//! a template that names one port.

use std::borrow::Cow;
use std::io;

use handlebars::{Context, Output, RenderContext, RenderError, RenderErrorReason, Renderable as _};
use serde_json::{Map, Value};

use super::cannot_fill::CannotFill;
use super::compile::{Compiled, Program};
use super::helpers::HANDLEBARS;
use super::{Found, Scope, Template, Use};

/// The most that one template may become, in bytes.
const MAX_RENDERED: usize = 1024 * 1024;

/// The value of a template.
#[derive(Debug, PartialEq)]
pub(crate) enum Rendered {
    /// All that the template uses is known.
    Known {
        /// For the action.
        value: Value,
        /// For the journal: every secret masked.
        masked: Value,
    },
    /// The template uses values that are not known, for these reasons.
    Unknown(Vec<String>),
}

impl Template {
    /// Renders the template.
    ///
    /// # Errors
    /// When the template fails although everything it uses is known.
    pub(crate) fn render(&self, scope: &dyn Scope) -> Result<Rendered, CannotFill> {
        let fails = |why: String| CannotFill { template: self.text().to_owned(), why };
        let compiled = self.compiled();
        if let Some(mistake) = compiled.mistakes.first() {
            return Err(fails(mistake.message.clone()));
        }
        match values(compiled, scope) {
            Ok(values) => compiled.render(&values, scope.mask()).map_err(fails),
            Err(NoValues::Unknown(why)) => Ok(Rendered::Unknown(why)),
            Err(NoValues::Nothing(written)) => Err(fails(format!("there is no `{written}`"))),
        }
    }
}

/// A name of a template with its value.
struct Named<'t, 'v> {
    used: &'t Use,
    value: Cow<'v, Value>,
    is_secret: bool,
}

enum NoValues {
    Unknown(Vec<String>),
    Nothing(String),
}

/// The values of all names. Rendering in strict mode does not ask for each: `if`, `and` and `or` take a value that is not
/// there for false.
fn values<'t, 'v>(compiled: &'t Compiled, scope: &'v dyn Scope) -> Result<Vec<Named<'t, 'v>>, NoValues> {
    let (mut values, mut unknown, mut nothing) = (Vec::new(), Vec::new(), None);
    for used in &compiled.uses {
        let (value, is_secret) = match scope.find(&used.reference) {
            Found::Known(value) => (value, false),
            Found::Secret(value) => (Cow::Borrowed(value), true),
            Found::Unknown { why } => {
                unknown.push(why);
                continue;
            }
            Found::Nothing => {
                nothing.get_or_insert(&used.written);
                continue;
            }
        };
        values.push(Named { used, value, is_secret });
    }
    match nothing {
        _ if !unknown.is_empty() => Err(NoValues::Unknown(unknown)),
        Some(written) => Err(NoValues::Nothing(written.clone())),
        None => Ok(values),
    }
}

impl Compiled {
    fn render(&self, values: &[Named<'_, '_>], mask: &str) -> Result<Rendered, String> {
        let is_secret = values.iter().any(|named| named.is_secret);
        let mask = || Value::String(mask.to_owned());
        if let (Program::Name, [named]) = (&self.program, values) {
            let value = named.value.clone().into_owned();
            let masked = if is_secret { mask() } else { value.clone() };
            return Ok(Rendered::Known { value, masked });
        }
        let mut context = Map::new();
        values.iter().for_each(|named| put(&mut context, named.used, Value::clone(&named.value)));
        let mut context = Context::from(Value::Object(context));
        let value = self.run(&context)?;
        if !is_secret {
            return Ok(Rendered::Known { masked: value.clone(), value });
        }
        if let Value::Object(context) = context.data_mut() {
            values.iter().filter(|named| named.is_secret).for_each(|named| put(context, named.used, mask()));
        }
        Ok(Rendered::Known { value, masked: self.run(&context)? })
    }

    fn run(&self, context: &Context) -> Result<Value, String> {
        match &self.program {
            Program::Call(template) => {
                let json = to_text(template, context)?;
                serde_json::from_str(&json).map_err(|error| format!("it has no value: {error}"))
            }
            Program::Text(template) => to_text(template, context).map(Value::String),
            Program::None | Program::Name => panic!("bug: a template without a program is rendered"),
        }
    }
}

/// Puts a value where its name leads. A name may lead into the value of another one, which then holds the same already.
fn put(context: &mut Map<String, Value>, used: &Use, value: Value) {
    let path = used.reference.path();
    let Some((last, way)) = path.split_last() else { return };
    let mut here = context;
    for key in way {
        let inside = here.entry(*key).or_insert_with(|| Value::Object(Map::new()));
        let Value::Object(inside) = inside else { return };
        here = inside;
    }
    here.insert((*last).to_owned(), value);
}

fn to_text(template: &handlebars::Template, context: &Context) -> Result<String, String> {
    let mut out = Capped { text: String::new(), is_full: false };
    match template.render(&HANDLEBARS, context, &mut RenderContext::new(None), &mut out) {
        Ok(()) => Ok(out.text),
        Err(_) if out.is_full => Err(format!("it becomes longer than {MAX_RENDERED} bytes")),
        Err(error) => Err(why(&error)),
    }
}

/// The reason for a failure, in words that mean something to the author of the template.
fn why(error: &RenderError) -> String {
    match error.reason() {
        RenderErrorReason::MissingVariable(Some(name)) => format!("there is no `{name}`"),
        RenderErrorReason::Other(why) => why.clone(),
        RenderErrorReason::ParamNotFoundForIndex(helper, _) => {
            format!("what `{helper}` asks for is not there")
        }
        RenderErrorReason::InvalidJsonIndex(place) => format!("a list has nothing at `{place}`"),
        _ => "something that it uses is not there".to_owned(),
    }
}

/// The text so far. It takes no more than a template may become.
struct Capped {
    text: String,
    is_full: bool,
}

impl Output for Capped {
    fn write(&mut self, text: &str) -> io::Result<()> {
        if text.len() > MAX_RENDERED - self.text.len() {
            self.is_full = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.text.push_str(text);
        Ok(())
    }
}
