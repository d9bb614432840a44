/* `days_remaining:v2` in C: the twin of `logic-plugins/days-remaining-v2`, in the same order of
   operations, so that every output has the same bits. */
#include "logic.h"

#include <math.h>
#include <string.h>

enum {
  CALCULATION_DATE, AREA_HA, ANIMAL_COUNT, DAILY_INTAKE, TARGET_PCT, STANDING, STANDING_AGE,
  INCREMENTS, INCREMENT_COUNT, INCREMENT_AGE, INPUTS
};
static const struct input inputs[INPUTS] = {
  {"calculation_date", DATE, NULL, false, "calculation_date", "The day the number is for."},
  {"area_ha", FLOAT64, "ha", true, "area_ha", "Area of the pasture."},
  {"animal_count", FLOAT64, "head", true, "animal_count", "Animals in the herd."},
  {"daily_intake_kg_per_head", FLOAT64, "kg/head/d", true, "daily_intake_kg_per_head",
   "Dry matter that an animal eats in a day."},
  {"utilization_target_pct", FLOAT64, "%", true, "utilization_target_pct",
   "Share of the forage that the herd may use, where the herd has its own."},
  {"forage_kg_per_ha", FLOAT64, "kg/ha", true, "forage_kg_per_ha",
   "The newest standing forage observed at or before the date, dry matter."},
  {"standing_age_days", INT64, "d", true, "forage_kg_per_ha:age", "Age of that observation on the date."},
  {"forage_increments_kg_per_ha", FLOAT64, "kg/ha", true, "forage_increment_kg_per_ha:sum:season",
   "Forage grown since the season's start, dry matter."},
  {"forage_increment_count", INT64, NULL, true, "forage_increment_kg_per_ha:count:season",
   "Observations of growth since the season's start."},
  {"increment_age_days", INT64, "d", true, "forage_increment_kg_per_ha:age",
   "Age of the newest observation of growth on the date."},
};

enum { MIN_DAYS, MAX_DAYS, DEFAULT_UTILIZATION_PCT, RESIDUAL, PARAMETERS };
static const struct parameter parameters[PARAMETERS] = {
  {"min_days_remaining", "d", 0.0, 0.0, 36500.0, "Fewest days that are plausible."},
  {"max_days_remaining", "d", 365.0, 0.0, 36500.0, "Most days that are plausible."},
  {"default_utilization_pct", "%", 50.0, 0.0, 100.0,
   "Share of the forage that a herd without a target of its own may use."},
  {"residual_kg_per_ha", "kg/ha", 0.0, 0.0, 20000.0, "Forage that is to be left standing, dry matter."},
};

enum {
  DAYS, MOVE_DATE, BASIS, BASIS_FORAGE, USABLE_SHARE, USABLE_FORAGE, AVAILABLE, DAILY_CONSUMPTION,
  FORAGE_AGE, WHY, OUTPUTS
};
static const struct output outputs[OUTPUTS] = {
  {"days_of_grazing_remaining", FLOAT64, "d", true, OUTCOME,
   "available_forage_kg / daily_consumption_kg", "Days that the usable forage lasts."},
  {"recommended_move_date", DATE, NULL, true, OUTCOME,
   "calculation_date + floor(days_of_grazing_remaining)", "The day by which the herd has to move."},
  {"forage_basis", TEXT, NULL, true, TERM, NULL,
   "What the forage figure is: standing, or increments since season start."},
  {"basis_forage_kg_per_ha", FLOAT64, "kg/ha", true, TERM,
   "forage_kg_per_ha, or without it forage_increments_kg_per_ha",
   "The forage figure that counts, dry matter."},
  {"usable_share", FLOAT64, NULL, false, TERM,
   "(utilization_target_pct, or without it default_utilization_pct) / 100",
   "Share of the forage above the residual that the herd may use, 0 to 1."},
  {"usable_forage_kg_per_ha", FLOAT64, "kg/ha", true, TERM,
   "max(0, basis_forage_kg_per_ha - residual_kg_per_ha) * usable_share", "Usable forage, dry matter."},
  {"available_forage_kg", FLOAT64, "kg", true, TERM, "usable_forage_kg_per_ha * area_ha",
   "Usable forage of the pasture, dry matter."},
  {"daily_consumption_kg", FLOAT64, "kg/d", true, TERM, "animal_count * daily_intake_kg_per_head",
   "What the herd eats in a day, dry matter."},
  {"forage_age_days", INT64, "d", true, TERM, "standing_age_days, or without it increment_age_days",
   "Age of the newest observation behind the forage figure on the date."},
  {"reason", TEXT, NULL, true, REASON, NULL, "Why there is no number, or no move date."},
};

static const struct guardrail guardrails[] = {
  {"days_of_grazing_remaining", {"min_days_remaining", 0}, {"max_days_remaining", 0}, CRIT},
  {"usable_share", {NULL, 0.0}, {NULL, 1.0}, CRIT},
};

static const struct monitor monitors[] = {
  {"share_at_or_below_minimum", "days_of_grazing_remaining", ABOVE, 0.02, 0.10},
  {"share_above_maximum", "days_of_grazing_remaining", ABOVE, 0.01, 0.05},
  {"p95", "forage_age_days", ABOVE, 150.0, 240.0},
  {"share_null", "days_of_grazing_remaining", ABOVE, 0.02, 0.10},
  {"coverage", NULL, BELOW, 0.98, 0.90},
};

static const struct annotation annotations[] = {
  {"not-accounted-for", "Forage eaten since the observation, or since the season's start where increments are summed, is not deducted."},
  {"not-accounted-for", "What grows after the newest observation is not added."},
  {"not-accounted-for", "Other herds on the same pasture eat of the same forage; each is computed as if alone."},
  {"not-accounted-for", "Slope, distance to water and fences may keep the herd from a part of the area."},
  {"not-accounted-for", "Increments are growth, not what stands: forage left from earlier seasons is not in their sum."},
};

static const struct cell NONE;

/* A number, or null where it is none: infinity is no answer. */
static struct cell a_number(double x) { return isfinite(x) ? (struct cell){.there = true, .number = x} : NONE; }

static struct cell times(struct cell a, struct cell b) {
  return a.there && b.there ? a_number(a.number * b.number) : NONE;
}

static struct cell text(const char *words) {
  return (struct cell){.there = true, .text = {words, strlen(words)}};
}

/* The day the whole part of `days` later; null past 9999-12-31. Half a day of forage left is a move
   today, hence the floor. */
static struct cell add_whole_days(int32_t day, double days) {
  const int64_t first = -719162, last = 2932896;
  double whole = floor(days);
  /* Beyond this no day of the calendar could be meant, and the conversion stays exact. */
  if (!(fabs(whole) <= 4000000.0)) return NONE;
  int64_t sum = (int64_t)day + (int64_t)whole;
  return sum < first || sum > last ? NONE : (struct cell){.there = true, .day = (int32_t)sum};
}

/* Why these inputs give no number of days. Null is not zero, and nothing eaten is not forever. */
static const char *refusal(const struct cell in[], struct cell forage, double share) {
  if (!forage.there && in[INCREMENT_AGE].there)
    return "no standing forage was observed, and no increment since the season's start";
  if (!forage.there) return "no forage was observed at or before the date";
  if (forage.number < 0.0) return "the forage is negative";
  if (!(share >= 0.0 && share <= 1.0)) return "the herd's utilisation target lies outside 0 to 100 %";
  if (!in[AREA_HA].there) return "the pasture's area is missing";
  if (in[AREA_HA].number <= 0.0) return "the pasture has no area";
  if (!in[ANIMAL_COUNT].there) return "the herd's number of animals is missing";
  if (in[ANIMAL_COUNT].number <= 0.0) return "the herd has no animals: nothing is eaten";
  if (!in[DAILY_INTAKE].there) return "the herd's daily intake is missing";
  if (in[DAILY_INTAKE].number <= 0.0) return "the herd's daily intake is zero: nothing is eaten";
  return NULL;
}

static void row(const double p[], const struct cell in[], struct cell out[]) {
  struct cell forage = NONE;
  if (in[STANDING].there) {
    out[BASIS] = text("standing");
    forage = in[STANDING];
    out[FORAGE_AGE] = in[STANDING_AGE];
  } else if (in[INCREMENTS].there && !(in[INCREMENT_COUNT].there && in[INCREMENT_COUNT].integer == 0)) {
    out[BASIS] = text("increments since season start");
    forage = in[INCREMENTS];
    out[FORAGE_AGE] = in[INCREMENT_AGE];
  }
  double share = (in[TARGET_PCT].there ? in[TARGET_PCT].number : p[DEFAULT_UTILIZATION_PCT]) / 100.0;
  struct cell above = NONE;
  if (forage.there) above = (struct cell){.there = true, .number = fmax(forage.number - p[RESIDUAL], 0.0)};
  out[BASIS_FORAGE] = forage;
  out[USABLE_SHARE] = (struct cell){.there = true, .number = share};
  out[USABLE_FORAGE] = times(above, out[USABLE_SHARE]);
  out[AVAILABLE] = times(out[USABLE_FORAGE], in[AREA_HA]);
  out[DAILY_CONSUMPTION] = times(in[ANIMAL_COUNT], in[DAILY_INTAKE]);
  const char *why = refusal(in, forage, share);
  if (!why) {
    if (out[AVAILABLE].there && out[DAILY_CONSUMPTION].there)
      out[DAYS] = a_number(out[AVAILABLE].number / out[DAILY_CONSUMPTION].number);
    if (out[DAYS].there) out[MOVE_DATE] = add_whole_days(in[CALCULATION_DATE].day, out[DAYS].number);
    if (!out[DAYS].there) why = "the number of days is too large to be computed";
    else if (!out[MOVE_DATE].there) why = "the move date lies beyond the year 9999";
  }
  if (why) out[WHY] = text(why);
}

const struct logic LOGIC = {
  .name = "days_remaining",
  .version = "v2",
  .summary = "Days until a herd has eaten the usable share of a pasture's forage above the residual.",
  .inputs = inputs, .input_count = INPUTS,
  .parameters = parameters, .parameter_count = PARAMETERS,
  .outputs = outputs, .output_count = OUTPUTS,
  .guardrails = guardrails, .guardrail_count = COUNT(guardrails),
  .monitors = monitors, .monitor_count = COUNT(monitors),
  .annotations = annotations, .annotation_count = COUNT(annotations),
  .row = row,
};
