//! A picture in the encoder's own format (planar YUV 4:2:0, BT.601, limited range), and the few shapes that
//! scenes are made of. Everything is antialiased, and everything is drawn by one function, [`Canvas::paint`].
//!
//! Drawing in YUV saves a conversion of every pixel of every frame, which would cost more than the encoding.

use openh264::formats::YUVSource;

/// A colour as red, green and blue, each from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Colour {
    red: f32,
    green: f32,
    blue: f32,
}

impl Colour {
    pub(super) const WHITE: Self = Self { red: 1.0, green: 1.0, blue: 1.0 };
    pub(super) const BLACK: Self = Self { red: 0.0, green: 0.0, blue: 0.0 };

    /// A colour by hue (a turn of the colour wheel is 1, any number is welcome), saturation and lightness.
    pub(super) fn hsl(hue: f32, saturation: f32, lightness: f32) -> Self {
        let reach = saturation * lightness.min(1.0 - lightness);
        let channel = |offset: f32| {
            let position = (offset + hue * 12.0).rem_euclid(12.0);
            lightness - reach * (position - 3.0).min(9.0 - position).clamp(-1.0, 1.0)
        };
        Self { red: channel(0.0), green: channel(8.0), blue: channel(4.0) }
    }

    /// This colour with `share` (0 to 1) of another mixed in.
    pub(super) fn mix(self, other: Self, share: f32) -> Self {
        let blend = |from: f32, to: f32| from + (to - from) * share;
        Self {
            red: blend(self.red, other.red),
            green: blend(self.green, other.green),
            blue: blend(self.blue, other.blue),
        }
    }

    /// Luma and the two chroma values after BT.601, limited range.
    fn yuv(self) -> [f32; 3] {
        let Self { red, green, blue } = self;
        [
            16.0 + 65.481 * red + 128.553 * green + 24.966 * blue,
            128.0 - 37.797 * red - 74.203 * green + 112.0 * blue,
            128.0 + 112.0 * red - 93.786 * green - 18.214 * blue,
        ]
    }
}

/// A point in pixels, from the upper left corner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    pub(super) x: f32,
    pub(super) y: f32,
}

impl Point {
    pub(super) const fn new(x: f32, y: f32) -> Self {
        Self { x, y }
    }

    fn distance(self, other: Self) -> f32 {
        length(self.x - other.x, self.y - other.y)
    }
}

/// The part of a picture that a shape may touch; what lies outside the picture is cut off.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) left: f32,
    pub(super) top: f32,
    pub(super) right: f32,
    pub(super) bottom: f32,
}

impl Bounds {
    fn around(points: &[Point], margin: f32) -> Self {
        let start = Self { left: f32::MAX, top: f32::MAX, right: f32::MIN, bottom: f32::MIN };
        let tight = points.iter().fold(start, |bounds, point| Self {
            left: bounds.left.min(point.x),
            top: bounds.top.min(point.y),
            right: bounds.right.max(point.x),
            bottom: bounds.bottom.max(point.y),
        });
        Self {
            left: tight.left - margin,
            top: tight.top - margin,
            right: tight.right + margin,
            bottom: tight.bottom + margin,
        }
    }
}

/// One picture.
#[derive(Debug, Clone)]
pub(super) struct Canvas {
    width: usize,
    height: usize,
    luma: Vec<u8>,
    chroma: [Vec<u8>; 2],
}

impl Canvas {
    /// A black picture. Width and height are even, as 4:2:0 demands.
    pub(super) fn new(width: usize, height: usize) -> Self {
        let quarter = (width / 2) * (height / 2);
        Self {
            width,
            height,
            luma: vec![16; width * height],
            chroma: [vec![128; quarter], vec![128; quarter]],
        }
    }

    pub(super) fn width(&self) -> f32 {
        self.width as f32
    }

    pub(super) fn height(&self) -> f32 {
        self.height as f32
    }

    /// The whole picture.
    pub(super) fn bounds(&self) -> Bounds {
        Bounds { left: 0.0, top: 0.0, right: self.width(), bottom: self.height() }
    }

    /// Becomes a copy of a picture of the same size, without allocating.
    pub(super) fn copy_from(&mut self, other: &Self) {
        self.luma.copy_from_slice(&other.luma);
        for (to, from) in self.chroma.iter_mut().zip(&other.chroma) {
            to.copy_from_slice(from);
        }
    }

    /// Lays a colour over the picture within `bounds`, as thickly as `coverage` says for each point (0 leaves
    /// what is there, 1 hides it). It is asked once a pixel for luma and once every four for chroma.
    pub(super) fn paint(&mut self, bounds: Bounds, colour: Colour, coverage: impl Fn(Point) -> f32) {
        let [luma, blue, red] = colour.yuv();
        let [blues, reds] = &mut self.chroma;
        let size = (self.width, self.height);
        cover(size, bounds, 1.0, &coverage, |index, share| blend(&mut self.luma[index], luma, share));
        cover((size.0 / 2, size.1 / 2), bounds, 2.0, &coverage, |index, share| {
            blend(&mut blues[index], blue, share);
            blend(&mut reds[index], red, share);
        });
    }

    /// A round spot with a sharp edge.
    pub(super) fn disc(&mut self, centre: Point, radius: f32, colour: Colour, opacity: f32) {
        self.ellipse(centre, (radius, radius), colour, opacity);
    }

    /// An upright ellipse with a sharp edge, given half its width and half its height.
    pub(super) fn ellipse(&mut self, centre: Point, radii: (f32, f32), colour: Colour, opacity: f32) {
        let (across, down) = radii;
        self.paint(Bounds::around(&[centre], across.max(down) + 1.0), colour, |point| {
            let distance = length((point.x - centre.x) / across, (point.y - centre.y) / down);
            opacity * ((1.0 - distance) * across.min(down) + 0.5).clamp(0.0, 1.0)
        });
    }

    /// A round light that fades from its centre to nothing at `radius`.
    pub(super) fn glow(&mut self, centre: Point, radius: f32, colour: Colour, opacity: f32) {
        self.paint(Bounds::around(&[centre], radius), colour, |point| {
            let fading = (1.0 - point.distance(centre) / radius).max(0.0);
            opacity * fading * fading
        });
    }

    /// A straight stroke with round ends.
    pub(super) fn stroke(&mut self, from: Point, to: Point, width: f32, colour: Colour, opacity: f32) {
        let (along_x, along_y) = (to.x - from.x, to.y - from.y);
        let length_squared = (along_x * along_x + along_y * along_y).max(f32::EPSILON);
        self.paint(Bounds::around(&[from, to], width / 2.0 + 1.0), colour, |point| {
            let way = ((point.x - from.x) * along_x + (point.y - from.y) * along_y) / length_squared;
            let way = way.clamp(0.0, 1.0);
            let nearest = Point::new(from.x + way * along_x, from.y + way * along_y);
            opacity * (width / 2.0 - point.distance(nearest) + 0.5).clamp(0.0, 1.0)
        });
    }

    /// A filled shape without dents, its corners named in the order in which its outline passes them.
    pub(super) fn polygon(&mut self, corners: &[Point], colour: Colour, opacity: f32) {
        let edges = || corners.iter().zip(corners.iter().cycle().skip(1));
        let clockwise = edges().map(|(from, to)| from.x * to.y - to.x * from.y).sum::<f32>().signum();
        // Each edge as a point on it and the direction that leads inwards.
        let edges: Vec<(Point, Point)> = edges()
            .map(|(from, to)| {
                let (along_x, along_y) = (to.x - from.x, to.y - from.y);
                let scale = clockwise / length(along_x, along_y).max(f32::EPSILON);
                (*from, Point::new(-along_y * scale, along_x * scale))
            })
            .collect();
        self.paint(Bounds::around(corners, 1.0), colour, |point| {
            let depth = edges.iter().fold(f32::MAX, |depth, (on, inwards)| {
                depth.min((point.x - on.x) * inwards.x + (point.y - on.y) * inwards.y)
            });
            opacity * (depth + 0.5).clamp(0.0, 1.0)
        });
    }

    /// A filled upright rectangle.
    pub(super) fn rectangle(&mut self, area: Bounds, colour: Colour, opacity: f32) {
        let grown = Bounds {
            left: area.left - 1.0,
            top: area.top - 1.0,
            right: area.right + 1.0,
            bottom: area.bottom + 1.0,
        };
        self.paint(grown, colour, |point| {
            let across = (point.x - area.left).min(area.right - point.x);
            let down = (point.y - area.top).min(area.bottom - point.y);
            opacity * (across.min(down) + 0.5).clamp(0.0, 1.0)
        });
    }
}

/// Walks over the samples of one plane, whose samples are `step` pixels apart, and tells `touch` the index and
/// the coverage of every sample that is covered at all.
fn cover(
    (width, height): (usize, usize),
    bounds: Bounds,
    step: f32,
    coverage: &impl Fn(Point) -> f32,
    mut touch: impl FnMut(usize, f32),
) {
    // A float becomes an integer by saturating, so a shape that lies outside the picture gives empty ranges.
    let columns = (bounds.left / step) as usize..((bounds.right / step).ceil() as usize).min(width);
    let rows = (bounds.top / step) as usize..((bounds.bottom / step).ceil() as usize).min(height);
    for row in rows {
        let y = (row as f32 + 0.5) * step;
        for column in columns.clone() {
            let share = coverage(Point::new((column as f32 + 0.5) * step, y));
            if share > 0.0 {
                touch(row * width + column, share);
            }
        }
    }
}

/// `f32::hypot` guards against overflow, which costs several times as much and cannot happen here.
fn length(x: f32, y: f32) -> f32 {
    (x * x + y * y).sqrt()
}

fn blend(sample: &mut u8, value: f32, share: f32) {
    let old = f32::from(*sample);
    *sample = (old + (value - old) * share + 0.5) as u8;
}

impl YUVSource for Canvas {
    fn dimensions(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    fn strides(&self) -> (usize, usize, usize) {
        (self.width, self.width / 2, self.width / 2)
    }

    fn y(&self) -> &[u8] {
        &self.luma
    }

    fn u(&self) -> &[u8] {
        &self.chroma[0]
    }

    fn v(&self) -> &[u8] {
        &self.chroma[1]
    }
}
