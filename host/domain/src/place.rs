//! Boundaries and herds as plain values.

use super::canonical::Digest;
use super::day::Day;
use super::forms;
use super::ids::{BoundaryId, HerdId};

/// A place with an area: a pasture, an allotment, a paddock.
#[derive(Clone, Debug, PartialEq)]
pub struct Boundary {
    /// The place's id.
    pub boundary_id: BoundaryId,
    /// A name for people.
    pub name: Option<String>,
    /// The geometry as canonical GeoJSON text (a Polygon or MultiPolygon on WGS84).
    pub geometry: String,
    /// Geodesic area on WGS84 in hectares, without holes, rounded to 0.0001 ha.
    pub area_ha: f64,
    /// The area given in the file, in hectares.
    pub declared_area_ha: Option<f64>,
    /// The first day for which this outline is valid, if the file gives one.
    pub effective_date: Option<Day>,
}

/// A herd in a boundary over a period.
#[derive(Clone, Debug, PartialEq)]
pub struct Herd {
    /// The id given in the file, or derived from the content (see [`Herd::derived_id`]).
    pub herd_config_id: HerdId,
    /// The boundary in which it grazes.
    pub boundary_id: BoundaryId,
    /// A name for people.
    pub name: Option<String>,
    /// First day of the period.
    pub effective_date: Day,
    /// Last day of the period, inclusive; open if missing.
    pub end_date: Option<Day>,
    /// Number of animals; missing is not zero.
    pub animal_count: Option<f64>,
    /// Dry matter, kg per head and day.
    pub daily_intake_kg_per_head: Option<f64>,
    /// Live weight, kg.
    pub average_weight_kg: Option<f64>,
    /// Share of the forage that the herd may use, percent (0–100).
    pub utilization_target_pct: Option<f64>,
    /// Kind of animal: `cattle`.
    pub animal_type: Option<String>,
    /// Class of animal: `cow-calf`.
    pub class: Option<String>,
}

impl Herd {
    /// An id derived from the content, for a herd without an id in its file. The end date and the name are not
    /// included, so that ending a period or renaming does not make a new herd.
    #[must_use]
    pub fn derived_id(&self) -> HerdId {
        let digest = Digest::of_canonical(&forms::herd_id(self));
        HerdId::unchecked(format!("herd-{}", &digest.hex()[..16]))
    }
}
