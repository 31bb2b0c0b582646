//! Values between JSON and SQL.
//!
//! Parameters go out as text, which the server reads as whatever type the statement needs there. Results come in
//! binary; the common types are read here, and for others the author casts to `text` in the statement.

use std::error::Error;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};
use lifeboat_action::Outcome;
use serde::Serialize;
use serde_json::{Map, Number, Value};
use tokio_postgres::Row;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{Format, FromSql, IsNull, Kind, ToSql, Type, to_sql_checked};

use crate::lsn::Lsn;

type AnyError = Box<dyn Error + Sync + Send>;

/// A struct of outputs as the JSON object that an action answers.
pub(crate) fn object(outputs: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(outputs) {
        Ok(Value::Object(map)) => map,
        other => panic!("bug: outputs are not an object: {other:?}"),
    }
}

/// An outcome with outputs from a struct.
pub(crate) fn outcome(evidence: String, outputs: &impl Serialize, warnings: Vec<String>) -> Outcome {
    Outcome { evidence, outputs: object(outputs), warnings }
}

/// A parameter of a statement.
#[derive(Debug)]
pub(crate) struct Param<'p>(pub(crate) &'p Value);

impl ToSql for Param<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, AnyError> {
        match text_of(self.0, ty) {
            None => Ok(IsNull::Yes),
            Some(text) => {
                out.extend_from_slice(text.as_bytes());
                Ok(IsNull::No)
            }
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    to_sql_checked!();
}

/// A value as the server reads it; `None` is null.
fn text_of(value: &Value, ty: &Type) -> Option<String> {
    let as_json = *ty == Type::JSON || *ty == Type::JSONB;
    match value {
        Value::Null if !as_json => None,
        Value::String(text) if !as_json => Some(text.clone()),
        Value::Array(items) if matches!(ty.kind(), Kind::Array(_)) => Some(array_text(items)),
        other => Some(other.to_string()),
    }
}

fn array_text(items: &[Value]) -> String {
    let item = |item: &Value| match item {
        Value::Null => "NULL".to_owned(),
        Value::Array(inner) => array_text(inner),
        Value::String(text) => quoted(text),
        other => quoted(&other.to_string()),
    };
    format!("{{{}}}", items.iter().map(item).collect::<Vec<_>>().join(","))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The column whose type cannot be read here, with what to do about it.
pub(crate) fn unreadable<'c>(columns: impl IntoIterator<Item = (&'c str, &'c Type)>) -> Option<String> {
    columns.into_iter().find(|(_, ty)| !is_readable(ty)).map(|(name, ty)| {
        format!(
            "column `{name}` is of type {}, which has no place in JSON: cast it, such as {name}::text",
            ty.name()
        )
    })
}

/// A row as an object; of two columns with one name the last stays.
pub(crate) fn row(row: &Row) -> Result<Map<String, Value>, tokio_postgres::Error> {
    let fields = row.columns().iter().enumerate();
    fields.map(|(at, column)| Ok((column.name().to_owned(), row.try_get::<_, Cell>(at)?.0))).collect()
}

/// One value of a result.
#[derive(Debug)]
struct Cell(Value);

impl<'r> FromSql<'r> for Cell {
    fn from_sql(ty: &Type, raw: &'r [u8]) -> Result<Self, AnyError> {
        read(ty, raw).map(Self)
    }

    fn from_sql_null(_: &Type) -> Result<Self, AnyError> {
        Ok(Self(Value::Null))
    }

    fn accepts(ty: &Type) -> bool {
        is_readable(ty)
    }
}

fn is_readable(ty: &Type) -> bool {
    match ty.kind() {
        Kind::Array(inner) | Kind::Domain(inner) => is_readable(inner),
        Kind::Enum(_) => true,
        _ => {
            const READABLE: [Type; 26] = [
                Type::BOOL,
                Type::INT2,
                Type::INT4,
                Type::INT8,
                Type::OID,
                Type::XID,
                Type::CID,
                Type::XID8,
                Type::FLOAT4,
                Type::FLOAT8,
                Type::NUMERIC,
                Type::TEXT,
                Type::VARCHAR,
                Type::BPCHAR,
                Type::NAME,
                Type::UNKNOWN,
                Type::XML,
                Type::JSON,
                Type::JSONB,
                Type::UUID,
                Type::DATE,
                Type::TIMESTAMP,
                Type::TIMESTAMPTZ,
                Type::PG_LSN,
                Type::VOID,
                Type::REGCLASS,
            ];
            READABLE.contains(ty)
        }
    }
}

fn read(ty: &Type, raw: &[u8]) -> Result<Value, AnyError> {
    match ty.kind() {
        Kind::Domain(inner) => return read(inner, raw),
        Kind::Array(_) => {
            let cells = Vec::<Cell>::from_sql(ty, raw)?;
            return Ok(Value::Array(cells.into_iter().map(|cell| cell.0).collect()));
        }
        Kind::Enum(_) => return text(raw),
        _ => {}
    }
    Ok(match *ty {
        Type::VOID => Value::Null,
        Type::BOOL => bool::from_sql(ty, raw)?.into(),
        Type::INT2 => i16::from_be_bytes(raw.try_into()?).into(),
        Type::INT4 => i32::from_be_bytes(raw.try_into()?).into(),
        Type::INT8 => i64::from_be_bytes(raw.try_into()?).into(),
        Type::OID | Type::XID | Type::CID | Type::REGCLASS => u32::from_be_bytes(raw.try_into()?).into(),
        Type::XID8 => u64::from_be_bytes(raw.try_into()?).into(),
        Type::FLOAT4 => float(f64::from(f32::from_be_bytes(raw.try_into()?))),
        Type::FLOAT8 => float(f64::from_be_bytes(raw.try_into()?)),
        Type::NUMERIC => numeric(raw)?,
        Type::JSON => serde_json::from_slice(raw)?,
        // One byte of version first.
        Type::JSONB => serde_json::from_slice(raw.get(1..).unwrap_or_default())?,
        Type::UUID => uuid(u128::from_be_bytes(raw.try_into()?)).into(),
        Type::PG_LSN => Lsn::from_u64(u64::from_be_bytes(raw.try_into()?)).to_string().into(),
        Type::DATE => date(i32::from_be_bytes(raw.try_into()?)).into(),
        Type::TIMESTAMP => timestamp(i64::from_be_bytes(raw.try_into()?), "").into(),
        Type::TIMESTAMPTZ => timestamp(i64::from_be_bytes(raw.try_into()?), "Z").into(),
        _ => text(raw)?,
    })
}

fn text(raw: &[u8]) -> Result<Value, AnyError> {
    Ok(std::str::from_utf8(raw)?.into())
}

/// What JSON has no number for stays a text: `NaN`, `inf`.
fn float(number: f64) -> Value {
    Number::from_f64(number).map_or_else(|| number.to_string().into(), Value::Number)
}

fn uuid(bits: u128) -> String {
    let hex = format!("{bits:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

/// The server counts from the year 2000.
const EPOCH: Date = jiff::civil::date(2000, 1, 1);

fn date(days: i32) -> String {
    match days {
        i32::MAX => "infinity".to_owned(),
        i32::MIN => "-infinity".to_owned(),
        _ => EPOCH
            .checked_add(days.days())
            .map_or_else(|_| format!("{days} days from 2000-01-01"), |d| d.to_string()),
    }
}

fn timestamp(micros: i64, zone: &str) -> String {
    let epoch = EPOCH.at(0, 0, 0, 0);
    match micros {
        i64::MAX => "infinity".to_owned(),
        i64::MIN => "-infinity".to_owned(),
        _ => epoch.checked_add(SignedDuration::from_micros(micros)).map_or_else(
            |_| format!("{micros} microseconds from 2000-01-01"),
            |moment| format!("{moment}{zone}"),
        ),
    }
}

/// A decimal number: digits to the base 10,000, the first with the weight 10,000^weight. Whole ones that fit stay exact;
/// others become the nearest floating-point number.
fn numeric(raw: &[u8]) -> Result<Value, AnyError> {
    let mut words = raw.chunks_exact(2).map(|pair| i16::from_be_bytes([pair[0], pair[1]]));
    let mut header = || words.next().ok_or("a numeric value is cut short");
    let (_, weight, sign, scale) = (header()?, header()?, header()?, header()?);
    #[expect(clippy::cast_sign_loss, reason = "the sign is a pattern of bits")]
    let negative = match sign as u16 {
        0 => false,
        0x4000 => true,
        0xD000 => return Ok("inf".into()),
        0xF000 => return Ok("-inf".into()),
        _ => return Ok("NaN".into()),
    };
    let digits: Vec<i16> = words.collect();
    let group = |at: i32| usize::try_from(at).ok().and_then(|at| digits.get(at)).copied().unwrap_or(0);
    let weight = i32::from(weight);
    let whole: String =
        (0..=weight.max(0)).map(|at| format!("{:04}", if weight < 0 { 0 } else { group(at) })).collect();
    let places = i32::from(scale);
    let groups = places.div_euclid(4) + 1;
    let fraction: String = (weight + 1..=weight + groups).map(|at| format!("{:04}", group(at))).collect();
    let mut text = format!("{}{}", if negative { "-" } else { "" }, whole);
    if places > 0 {
        text = format!("{text}.{}", fraction.get(..places as usize).unwrap_or(&fraction));
    }
    if let (0, Ok(exact)) = (places, text.parse::<i64>()) {
        return Ok(exact.into());
    }
    Ok(float(text.parse()?))
}

/// The moment now, as outputs and evidence write it.
pub(crate) fn now() -> String {
    Timestamp::now().to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn numeric_of(weight: i16, sign: u16, scale: i16, digits: &[i16]) -> Value {
        let header = [digits.len() as i16, weight, sign as i16, scale];
        let raw: Vec<u8> = header.iter().chain(digits).flat_map(|word| word.to_be_bytes()).collect();
        numeric(&raw).unwrap()
    }

    #[test]
    fn decimal_numbers() {
        assert_eq!(numeric_of(0, 0, 0, &[]), json!(0));
        assert_eq!(numeric_of(1, 0, 0, &[12, 3456]), json!(12_3456));
        assert_eq!(numeric_of(1, 0x4000, 0, &[1]), json!(-10_000));
        assert_eq!(numeric_of(0, 0, 2, &[12, 3400]), json!(12.34));
        assert_eq!(numeric_of(-1, 0x4000, 5, &[12, 3000]), json!(-0.00123));
        assert_eq!(numeric_of(-2, 0, 6, &[500]), json!(0.000_005));
        assert_eq!(numeric_of(0, 0xC000, 0, &[]), json!("NaN"));
    }

    #[test]
    fn moments() {
        assert_eq!(date(-1), "1999-12-31");
        assert_eq!(date(i32::MAX), "infinity");
        assert_eq!(timestamp(1_500_000, "Z"), "2000-01-01T00:00:01.5Z");
        assert_eq!(timestamp(-1_000_000, ""), "1999-12-31T23:59:59");
    }

    #[test]
    fn parameters_as_the_server_reads_them() {
        assert_eq!(text_of(&Value::Null, &Type::TEXT), None);
        assert_eq!(text_of(&json!("a"), &Type::TEXT).as_deref(), Some("a"));
        assert_eq!(text_of(&json!("a"), &Type::JSONB).as_deref(), Some("\"a\""));
        assert_eq!(
            text_of(&json!(["a\"b", null, 1]), &Type::TEXT_ARRAY).as_deref(),
            Some("{\"a\\\"b\",NULL,\"1\"}")
        );
        assert_eq!(text_of(&json!({"a": 1}), &Type::JSON).as_deref(), Some("{\"a\":1}"));
        assert_eq!(text_of(&json!(true), &Type::BOOL).as_deref(), Some("true"));
    }

    #[test]
    fn a_uuid_is_written_with_its_dashes() {
        assert_eq!(uuid(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef), "01234567-89ab-cdef-0123-456789abcdef");
    }
}
