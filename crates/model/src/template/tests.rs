//! Which templates are accepted, what they use, and that none of them can hurt.

use proptest::prelude::*;

use super::{Reference, Template};
use crate::source::Span;

fn template(text: &str) -> Template {
    Template::new(text, Span::default())
}

fn uses(text: &str) -> Vec<String> {
    let template = template(text);
    assert_eq!(template.mistakes(), [], "{text}");
    template.uses().iter().map(|used| used.written.clone()).collect()
}

fn mistakes(text: &str) -> Vec<String> {
    template(text).mistakes().iter().map(|mistake| mistake.message.clone()).collect()
}

#[test]
fn every_name_is_listed_wherever_it_stands() {
    assert_eq!(uses("a {{ inputs.host }}:{{inputs.port}} {{! note }}"), ["inputs.host", "inputs.port"]);
    assert_eq!(
        uses("{{#if steps.a-b.ok}}{{ mode }}{{else if inputs.x}}{{ run.id }}{{/if}}"),
        ["steps.a-b.ok", "mode", "inputs.x", "run.id"]
    );
    assert_eq!(uses("{{ and (not (eq inputs.a 'x')) (gt steps.s.lag 5) }}"), ["inputs.a", "steps.s.lag"]);
    assert_eq!(
        uses("{{#each inputs.hosts}}{{ this }} {{ @index }} {{ @root.inputs.port }}{{/each}}"),
        ["inputs.hosts", "@root.inputs.port"]
    );
    assert_eq!(
        uses("{{#each inputs.hosts as |host at|}}{{ host }}{{ at }}{{ name }}{{/each}}"),
        ["inputs.hosts"]
    );
    assert_eq!(
        uses("{{#each inputs.a as |row|}}{{#if row}}{{#unless @last}}{{ row.b }}{{/unless}}{{/if}}{{/each}}"),
        ["inputs.a"]
    );
    assert_eq!(uses(&"{{#if inputs.a}}x{{else}}y{{/if}} (".repeat(60)), ["inputs.a"]);
    assert_eq!(uses("\\{{ not.a.name }}"), Vec::<String>::new());
}

#[test]
fn names_mean_inputs_secrets_outputs_and_the_run() {
    let meaning = |text: &str| template(text).uses().first().map(|used| used.reference.clone());
    assert_eq!(
        meaning("{{ steps.promote.json.lsn }}"),
        Some(Reference::Output {
            step: "promote".to_owned(),
            output: "json".to_owned(),
            inside: vec!["lsn".to_owned()],
        })
    );
    assert_eq!(meaning("{{ secrets.token }}"), Some(Reference::Secret { name: "token".to_owned() }));
    assert_eq!(meaning("{{ mode }}"), Some(Reference::Mode));
    assert_eq!(meaning("{{ run.id }}"), Some(Reference::RunId));
}

#[test]
fn exactly_one_expression_keeps_its_type() {
    for (text, is_one) in [
        ("{{ inputs.port }}", true),
        ("{{ eq inputs.a 1 }}", true),
        ("{{~ inputs.port ~}}", true),
        (" {{ inputs.port }}", false),
        ("{{ inputs.a }}{{ inputs.b }}", false),
        ("{{#if inputs.a}}x{{/if}}", false),
    ] {
        assert_eq!(template(text).is_one_expression(), is_one, "{text}");
    }
}

#[test]
fn what_a_template_may_not_do_is_a_mistake() {
    for (text, message) in [
        ("{{ host }}", "nothing is named `host`"),
        ("{{#if host}}x{{/if}}", "nothing is named `host`"),
        ("{{ this }}", "nothing is named ``"),
        ("{{ inputs }}", "`inputs` is not a value"),
        ("{{ steps.a }}", "`steps.a` is not a value"),
        ("{{ lookup inputs 'x' }}", "`inputs` is not a value"),
        ("{{> other }}", "a template cannot include another one"),
        ("{{#> other}}{{/other}}", "a template cannot include another one"),
        ("{{#*inline 'a'}}x{{/inline}}", "decorators are not supported"),
        ("{{* decorate inputs.a }}", "decorators are not supported"),
        ("{{{ inputs.a }}}", "values are never escaped, three braces mean nothing more than two"),
        ("{{ log inputs.a }}", "there is no helper `log`"),
        ("{{ eq inputs.a }}", "`eq` takes 2 value(s), here it has 1"),
        ("{{ json }}", "`json` takes 1 value(s), here it has 0"),
        ("{{#raw}}x{{/raw}}", "there is no helper `raw`"),
        ("{{#each inputs.a}}{{ inputs.b }}{{/each}}", "inside `each` and `with`, `inputs.b` is not in reach"),
        ("{{#each inputs.a}}{{ ../inputs.b }}{{/each}}", "`../` is not supported"),
        (
            "{{#each inputs.a as |row|}}{{#if row.ok}}x{{/if}}{{/each}}",
            "`row.ok` may be missing here, and `if` would take it for false",
        ),
        (
            "{{#each inputs.a}}{{ or ok 1 }}{{/each}}",
            "`ok` may be missing here, and `or` would take it for false",
        ),
        ("{{ @index }}", "nothing is named `@index` here"),
        ("{{#if inputs.a includeZero=true}}x{{/if}}", "`includeZero=` is not supported"),
    ] {
        assert!(mistakes(text).iter().any(|found| found == message), "{text}: {:?}", mistakes(text));
    }
}

#[test]
fn a_text_that_is_no_template_says_so() {
    for text in ["{{}}", "{{ a b= }}", "{{#if inputs.a}}x{{else}}y{{else}}z{{/if}}"] {
        let found = mistakes(text);
        assert!(
            matches!(found.as_slice(), [one] if one.starts_with("this is not a template: ") && !one.contains('\n')),
            "{text}: {found:?}"
        );
    }
    for text in ["{{ inputs.a", "{{#if inputs.a}}x", "{{ inputs.a }", "{{/if}}"] {
        let found = mistakes(text);
        assert!(matches!(found.as_slice(), [one] if one.contains(" closed")), "{text}: {found:?}");
    }
}

#[test]
fn deep_templates_are_refused_on_a_small_stack() {
    let nested = |open: &str, middle: &str, close: &str, depth: usize| {
        open.repeat(depth) + middle + &close.repeat(depth)
    };
    for depth in [10, 50, 100, 200, 400, 800, 1_500, 3_000, 6_000] {
        for text in [
            nested("{{#if inputs.a}}", "x", "{{/if}}", depth),
            format!("{{{{ not {} }}}}", nested("(not ", "inputs.a", ")", depth)),
            format!("{{{{ json {} }}}}", nested("[", "1", "]", depth)),
            format!("{{{{ json {} }}}}", nested("{\"a\":", "1", "}", depth)),
            format!("{{{{#if inputs.a}}}}x{}{{{{/if}}}}", "{{else if inputs.a}}x".repeat(depth)),
        ] {
            let thread = std::thread::Builder::new().stack_size(2 * 1024 * 1024);
            let found = thread.spawn(move || mistakes(&text)).expect("the thread starts").join();
            let accepted = found.expect("the analysis ends").is_empty();
            assert_eq!(accepted, depth <= 50, "depth {depth}");
        }
    }
}

#[test]
fn the_size_of_a_template_is_bounded() {
    assert_eq!(mistakes(&"{{ mode }}".repeat(500)), Vec::<String>::new());
    assert_eq!(mistakes(&"{{ mode }}".repeat(501)), ["a template may have 500 expressions at most"]);
    assert_eq!(mistakes(&"x".repeat(64 * 1024 + 1)), ["a template may have 64 KiB at most"]);
}

proptest! {
    #[test]
    fn any_text_is_compiled(text in "(\\{\\{|\\}\\}|[#/>*~^!(){}\\[\\]\"'.@= \n\\\\|a]|inputs\\.a|if|each|else|eq|this|as|\\.\\./|é){0,40}") {
        for mistake in mistakes(&text) {
            prop_assert!(!mistake.contains('\n'), "{mistake}");
        }
    }
}
