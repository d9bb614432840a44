// `days_remaining:v2` in JavaScript: the twin of `logic-plugins/days-remaining-v2`, in the same order
// of operations, so that every output has the same bits. A number of JavaScript is a float64.
import { component } from './glue.js';

const declaration = {
  name: 'days_remaining',
  version: 'v2',
  summary: "Days until a herd has eaten the usable share of a pasture's forage above the residual.",
  inputs: [
    { name: 'calculation_date', type: 'date', doc: 'The day the number is for.' },
    { name: 'area_ha', type: 'float64', unit: 'ha', nullable: true, doc: 'Area of the pasture.' },
    { name: 'animal_count', type: 'float64', unit: 'head', nullable: true, doc: 'Animals in the herd.' },
    { name: 'daily_intake_kg_per_head', type: 'float64', unit: 'kg/head/d', nullable: true, doc: 'Dry matter that an animal eats in a day.' },
    { name: 'utilization_target_pct', type: 'float64', unit: '%', nullable: true, doc: 'Share of the forage that the herd may use, where the herd has its own.' },
    { name: 'forage_kg_per_ha', type: 'float64', unit: 'kg/ha', nullable: true, doc: 'The newest standing forage observed at or before the date, dry matter.' },
    { name: 'standing_age_days', type: 'int64', unit: 'd', nullable: true, feature: 'forage_kg_per_ha:age', doc: 'Age of that observation on the date.' },
    { name: 'forage_increments_kg_per_ha', type: 'float64', unit: 'kg/ha', nullable: true, feature: 'forage_increment_kg_per_ha:sum:season', doc: "Forage grown since the season's start, dry matter." },
    { name: 'forage_increment_count', type: 'int64', nullable: true, feature: 'forage_increment_kg_per_ha:count:season', doc: "Observations of growth since the season's start." },
    { name: 'increment_age_days', type: 'int64', unit: 'd', nullable: true, feature: 'forage_increment_kg_per_ha:age', doc: 'Age of the newest observation of growth on the date.' },
  ],
  parameters: [
    { name: 'min_days_remaining', unit: 'd', value: 0, minimum: 0, maximum: 36500, doc: 'Fewest days that are plausible.' },
    { name: 'max_days_remaining', unit: 'd', value: 365, minimum: 0, maximum: 36500, doc: 'Most days that are plausible.' },
    { name: 'default_utilization_pct', unit: '%', value: 50, minimum: 0, maximum: 100, doc: 'Share of the forage that a herd without a target of its own may use.' },
    { name: 'residual_kg_per_ha', unit: 'kg/ha', value: 0, minimum: 0, maximum: 20000, doc: 'Forage that is to be left standing, dry matter.' },
  ],
  outputs: [
    { name: 'days_of_grazing_remaining', type: 'float64', unit: 'd', nullable: true, role: 'outcome', formula: 'available_forage_kg / daily_consumption_kg', doc: 'Days that the usable forage lasts.' },
    { name: 'recommended_move_date', type: 'date', nullable: true, role: 'outcome', formula: 'calculation_date + floor(days_of_grazing_remaining)', doc: 'The day by which the herd has to move.' },
    { name: 'forage_basis', type: 'text', nullable: true, role: 'term', doc: 'What the forage figure is: standing, or increments since season start.' },
    { name: 'basis_forage_kg_per_ha', type: 'float64', unit: 'kg/ha', nullable: true, role: 'term', formula: 'forage_kg_per_ha, or without it forage_increments_kg_per_ha', doc: 'The forage figure that counts, dry matter.' },
    { name: 'usable_share', type: 'float64', role: 'term', formula: '(utilization_target_pct, or without it default_utilization_pct) / 100', doc: 'Share of the forage above the residual that the herd may use, 0 to 1.' },
    { name: 'usable_forage_kg_per_ha', type: 'float64', unit: 'kg/ha', nullable: true, role: 'term', formula: 'max(0, basis_forage_kg_per_ha - residual_kg_per_ha) * usable_share', doc: 'Usable forage, dry matter.' },
    { name: 'available_forage_kg', type: 'float64', unit: 'kg', nullable: true, role: 'term', formula: 'usable_forage_kg_per_ha * area_ha', doc: 'Usable forage of the pasture, dry matter.' },
    { name: 'daily_consumption_kg', type: 'float64', unit: 'kg/d', nullable: true, role: 'term', formula: 'animal_count * daily_intake_kg_per_head', doc: 'What the herd eats in a day, dry matter.' },
    { name: 'forage_age_days', type: 'int64', unit: 'd', nullable: true, role: 'term', formula: 'standing_age_days, or without it increment_age_days', doc: 'Age of the newest observation behind the forage figure on the date.' },
    { name: 'reason', type: 'text', nullable: true, role: 'reason', doc: 'Why there is no number, or no move date.' },
  ],
  guardrails: [
    { output: 'days_of_grazing_remaining', minimum: 'min_days_remaining', maximum: 'max_days_remaining', severity: 'crit' },
    { output: 'usable_share', minimum: 0, maximum: 1, severity: 'crit' },
  ],
  monitors: [
    { metric: 'share_at_or_below_minimum', subject: 'days_of_grazing_remaining', direction: 'above', warn: 0.02, crit: 0.10 },
    { metric: 'share_above_maximum', subject: 'days_of_grazing_remaining', direction: 'above', warn: 0.01, crit: 0.05 },
    { metric: 'p95', subject: 'forage_age_days', direction: 'above', warn: 150, crit: 240 },
    { metric: 'share_null', subject: 'days_of_grazing_remaining', direction: 'above', warn: 0.02, crit: 0.10 },
    { metric: 'coverage', direction: 'below', warn: 0.98, crit: 0.90 },
  ],
  annotations: [
    ['not-accounted-for', "Forage eaten since the observation, or since the season's start where increments are summed, is not deducted."],
    ['not-accounted-for', 'What grows after the newest observation is not added.'],
    ['not-accounted-for', 'Other herds on the same pasture eat of the same forage; each is computed as if alone.'],
    ['not-accounted-for', 'Slope, distance to water and fences may keep the herd from a part of the area.'],
    ['not-accounted-for', 'Increments are growth, not what stands: forage left from earlier seasons is not in their sum.'],
  ],
  row,
};

/** A number, or null where it is none: infinity is no answer. */
const finite = (x) => (Number.isFinite(x) ? x : null);
const times = (a, b) => (a === null || b === null ? null : finite(a * b));

function row(p, i) {
  let basis = null, forage = null, age = null;
  if (i.forage_kg_per_ha !== null) {
    basis = 'standing';
    forage = i.forage_kg_per_ha;
    age = i.standing_age_days;
  } else if (i.forage_increments_kg_per_ha !== null && i.forage_increment_count !== 0) {
    basis = 'increments since season start';
    forage = i.forage_increments_kg_per_ha;
    age = i.increment_age_days;
  }
  const share = (i.utilization_target_pct ?? p.default_utilization_pct) / 100;
  const usable = times(forage === null ? null : Math.max(forage - p.residual_kg_per_ha, 0), share);
  const available = times(usable, i.area_ha);
  const daily = times(i.animal_count, i.daily_intake_kg_per_head);
  let why = refusal(i, forage, share);
  let days = null, move = null;
  if (why === null) {
    if (available !== null && daily !== null) days = finite(available / daily);
    if (days === null) why = 'the number of days is too large to be computed';
    else {
      move = addWholeDays(i.calculation_date, days);
      if (move === null) why = 'the move date lies beyond the year 9999';
    }
  }
  return {
    days_of_grazing_remaining: days,
    recommended_move_date: move,
    forage_basis: basis,
    basis_forage_kg_per_ha: forage,
    usable_share: share,
    usable_forage_kg_per_ha: usable,
    available_forage_kg: available,
    daily_consumption_kg: daily,
    forage_age_days: age,
    reason: why,
  };
}

/** The day the whole part of `days` later; null past 9999-12-31. Half a day of forage left is a move
 * today, hence the floor. */
function addWholeDays(day, days) {
  const sum = day + Math.floor(days);
  return sum >= -719162 && sum <= 2932896 ? sum : null;
}

/** Why these inputs give no number of days. Null is not zero, and nothing eaten is not forever. */
function refusal(i, forage, share) {
  if (forage === null && i.increment_age_days !== null) return "no standing forage was observed, and no increment since the season's start";
  if (forage === null) return 'no forage was observed at or before the date';
  if (forage < 0) return 'the forage is negative';
  if (!(share >= 0 && share <= 1)) return "the herd's utilisation target lies outside 0 to 100 %";
  if (i.area_ha === null) return "the pasture's area is missing";
  if (i.area_ha <= 0) return 'the pasture has no area';
  if (i.animal_count === null) return "the herd's number of animals is missing";
  if (i.animal_count <= 0) return 'the herd has no animals: nothing is eaten';
  if (i.daily_intake_kg_per_head === null) return "the herd's daily intake is missing";
  if (i.daily_intake_kg_per_head <= 0) return "the herd's daily intake is zero: nothing is eaten";
  return null;
}

export const logic = component(declaration);
