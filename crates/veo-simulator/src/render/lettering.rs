//! Writing on a picture: capital letters, digits and some signs, five dots wide and seven high, each dot a
//! small disc. What has no glyph (other scripts, say) is left out; accented Latin letters lose their accent.

use super::canvas::{Canvas, Colour, Point};

/// Dots that one character takes up: five for itself, one of space.
const ADVANCE: f32 = 6.0;

/// Dots from one line of writing to the next.
pub(super) const LINE_HEIGHT: f32 = 11.0;

/// Breaks a text into at most `lines` lines of at most `columns` characters; what does not fit is marked by
/// three dots. Characters without a glyph are gone from the result.
pub(super) fn wrap(text: &str, columns: usize, lines: usize) -> Vec<String> {
    let text: String = text.chars().filter_map(printable).collect();
    let mut wrapped: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match wrapped.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            _ => wrapped.push(word.chars().take(columns).collect()),
        }
    }
    if wrapped.len() > lines {
        wrapped.truncate(lines);
        if let Some(last) = wrapped.last_mut() {
            last.truncate(columns.saturating_sub(3));
            last.push_str("...");
        }
    }
    wrapped
}

/// Writes one line that [`wrap`] returned; `origin` is its upper left corner and `dot` the size of a dot.
pub(super) fn write(canvas: &mut Canvas, line: &str, origin: Point, dot: f32, colour: Colour, opacity: f32) {
    for (position, letter) in line.chars().enumerate() {
        let left = origin.x + position as f32 * ADVANCE * dot;
        for (row, bits) in glyph(letter).into_iter().flatten().enumerate() {
            for column in (0..5).filter(|column| bits & (0b10000 >> column) != 0) {
                let centre =
                    Point::new(left + (column as f32 + 0.5) * dot, origin.y + (row as f32 + 0.5) * dot);
                canvas.disc(centre, dot * 0.52, colour, opacity);
            }
        }
    }
}

/// How wide a line of `characters` is, in dots.
pub(super) fn width(characters: usize) -> f32 {
    (characters as f32 * ADVANCE - 1.0).max(0.0)
}

/// The character that stands for this one in our alphabet, if any does.
fn printable(letter: char) -> Option<char> {
    let capital = letter.to_uppercase().next().unwrap_or(letter);
    let plain = match capital {
        'À'..='Å' | 'Ā' | 'Ă' | 'Ą' => 'A',
        'Ç' | 'Ć' | 'Č' => 'C',
        'È'..='Ë' | 'Ē' | 'Ę' | 'Ě' => 'E',
        'Ì'..='Ï' | 'Ī' | 'İ' => 'I',
        'Ñ' | 'Ń' | 'Ň' => 'N',
        'Ò'..='Ö' | 'Ø' | 'Ō' | 'Ő' => 'O',
        'Ś' | 'Š' | 'Ş' => 'S',
        'Ù'..='Ü' | 'Ū' | 'Ů' | 'Ű' => 'U',
        'Ý' | 'Ÿ' => 'Y',
        'Ź' | 'Ż' | 'Ž' => 'Z',
        '‘' | '’' => '\'',
        '“' | '”' => '"',
        '–' | '—' => '-',
        other if other.is_whitespace() => ' ',
        other => other,
    };
    (plain == ' ' || glyph(plain).is_some()).then_some(plain)
}

/// The seven rows of a character, from the top; the highest of the five bits is the leftmost dot.
fn glyph(letter: char) -> Option<[u8; 7]> {
    Some(match letter {
        'A' => [0b01110, 0b10001, 0b10001, 0b11111, 0b10001, 0b10001, 0b10001],
        'B' => [0b11110, 0b10001, 0b10001, 0b11110, 0b10001, 0b10001, 0b11110],
        'C' => [0b01111, 0b10000, 0b10000, 0b10000, 0b10000, 0b10000, 0b01111],
        'D' => [0b11110, 0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b11110],
        'E' => [0b11111, 0b10000, 0b10000, 0b11110, 0b10000, 0b10000, 0b11111],
        'F' => [0b11111, 0b10000, 0b10000, 0b11110, 0b10000, 0b10000, 0b10000],
        'G' => [0b01111, 0b10000, 0b10000, 0b10011, 0b10001, 0b10001, 0b01110],
        'H' => [0b10001, 0b10001, 0b10001, 0b11111, 0b10001, 0b10001, 0b10001],
        'I' => [0b01110, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110],
        'J' => [0b00111, 0b00010, 0b00010, 0b00010, 0b00010, 0b10010, 0b01100],
        'K' => [0b10001, 0b10010, 0b10100, 0b11000, 0b10100, 0b10010, 0b10001],
        'L' => [0b10000, 0b10000, 0b10000, 0b10000, 0b10000, 0b10000, 0b11111],
        'M' => [0b10001, 0b11011, 0b10101, 0b10101, 0b10001, 0b10001, 0b10001],
        'N' => [0b10001, 0b11001, 0b10101, 0b10101, 0b10011, 0b10001, 0b10001],
        'O' => [0b01110, 0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b01110],
        'P' => [0b11110, 0b10001, 0b10001, 0b11110, 0b10000, 0b10000, 0b10000],
        'Q' => [0b01110, 0b10001, 0b10001, 0b10001, 0b10101, 0b10010, 0b01101],
        'R' => [0b11110, 0b10001, 0b10001, 0b11110, 0b10100, 0b10010, 0b10001],
        'S' => [0b01111, 0b10000, 0b10000, 0b01110, 0b00001, 0b00001, 0b11110],
        'T' => [0b11111, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100],
        'U' => [0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b01110],
        'V' => [0b10001, 0b10001, 0b10001, 0b10001, 0b01010, 0b01010, 0b00100],
        'W' => [0b10001, 0b10001, 0b10001, 0b10101, 0b10101, 0b11011, 0b10001],
        'X' => [0b10001, 0b01010, 0b00100, 0b00100, 0b00100, 0b01010, 0b10001],
        'Y' => [0b10001, 0b10001, 0b01010, 0b00100, 0b00100, 0b00100, 0b00100],
        'Z' => [0b11111, 0b00001, 0b00010, 0b00100, 0b01000, 0b10000, 0b11111],
        '0' => [0b01110, 0b10011, 0b10101, 0b10101, 0b10101, 0b11001, 0b01110],
        '1' => [0b00100, 0b01100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110],
        '2' => [0b01110, 0b10001, 0b00001, 0b00110, 0b01000, 0b10000, 0b11111],
        '3' => [0b11110, 0b00001, 0b00001, 0b01110, 0b00001, 0b00001, 0b11110],
        '4' => [0b00010, 0b00110, 0b01010, 0b10010, 0b11111, 0b00010, 0b00010],
        '5' => [0b11111, 0b10000, 0b11110, 0b00001, 0b00001, 0b10001, 0b01110],
        '6' => [0b00110, 0b01000, 0b10000, 0b11110, 0b10001, 0b10001, 0b01110],
        '7' => [0b11111, 0b00001, 0b00010, 0b00100, 0b00100, 0b01000, 0b01000],
        '8' => [0b01110, 0b10001, 0b10001, 0b01110, 0b10001, 0b10001, 0b01110],
        '9' => [0b01110, 0b10001, 0b10001, 0b01111, 0b00001, 0b00010, 0b01100],
        '.' => [0, 0, 0, 0, 0, 0b01100, 0b01100],
        ',' => [0, 0, 0, 0, 0b01100, 0b00100, 0b01000],
        '!' => [0b00100, 0b00100, 0b00100, 0b00100, 0b00100, 0, 0b00100],
        '?' => [0b01110, 0b10001, 0b00001, 0b00110, 0b00100, 0, 0b00100],
        ':' => [0, 0b01100, 0b01100, 0, 0b01100, 0b01100, 0],
        ';' => [0, 0b01100, 0b01100, 0, 0b01100, 0b00100, 0b01000],
        '-' => [0, 0, 0, 0b01110, 0, 0, 0],
        '\'' => [0b00100, 0b00100, 0b01000, 0, 0, 0, 0],
        '"' => [0b01010, 0b01010, 0b01010, 0, 0, 0, 0],
        '(' => [0b00010, 0b00100, 0b01000, 0b01000, 0b01000, 0b00100, 0b00010],
        ')' => [0b01000, 0b00100, 0b00010, 0b00010, 0b00010, 0b00100, 0b01000],
        '/' => [0b00001, 0b00010, 0b00010, 0b00100, 0b01000, 0b01000, 0b10000],
        '&' => [0b01100, 0b10010, 0b10100, 0b01000, 0b10101, 0b10010, 0b01101],
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_wrapped_between_words_and_cut() {
        assert_eq!(wrap("a paper boat at dusk", 12, 2), ["A PAPER BOAT", "AT DUSK"]);
        assert_eq!(wrap("one two three four five six", 9, 2), ["ONE TWO", "THREE..."]);
        assert_eq!(wrap("", 9, 2), Vec::<String>::new());
        assert_eq!(wrap("incomprehensibilities", 9, 2), ["INCOMPREH"]);
    }

    #[test]
    fn accents_are_dropped_and_other_scripts_left_out() {
        assert_eq!(wrap("Über den Fluß – señor", 30, 1), ["UBER DEN FLUS - SENOR"]);
        assert_eq!(wrap("夕暮れの boat", 30, 1), ["BOAT"]);
    }
}
