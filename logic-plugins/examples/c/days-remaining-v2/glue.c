/* From the tables of `logic.h` to the contract, and from its columns to cells and back. Nothing here
   knows the logic: it can be copied beside another one.

   What `describe` and `compute` return is freed by the generated bindings, so that every text and
   list is a copy. What `compute` is given belongs to it. */
#include "logic.h"
#include "generated/logic_plugin.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The generated names are long; these are the contract's. */
typedef exports_provender_logic_logic_column_t column_t;
typedef exports_provender_logic_logic_failure_t failure_t;
typedef exports_provender_logic_logic_field_t field_t;
typedef exports_provender_logic_logic_bound_t bound_t;

/* Zeroed memory. Without memory left the component traps, which the host reports as such. */
static void *zeroed(size_t count, size_t size) {
  void *memory = calloc(count ? count : 1, size);
  if (!memory) __builtin_trap();
  return memory;
}

#define LIST(list, count) ((list).len = (count), (list).ptr = zeroed((count), sizeof(*(list).ptr)))

static logic_plugin_option_string_t option(const char *text) {
  logic_plugin_option_string_t made = {.is_some = text != NULL};
  if (text) logic_plugin_string_dup(&made.val, text);
  return made;
}

static void field(field_t *to, const char *name, enum type type, const char *unit, bool nullable, const char *doc) {
  logic_plugin_string_dup(&to->name, name);
  to->data_type = (uint8_t)type;
  to->unit = option(unit);
  to->nullable = nullable;
  logic_plugin_string_dup(&to->doc, doc);
}

static exports_provender_logic_logic_scalar_t number(double value) {
  exports_provender_logic_logic_scalar_t made = {.tag = EXPORTS_PROVENDER_LOGIC_LOGIC_SCALAR_FLOAT64};
  made.val.float64 = value;
  return made;
}

static exports_provender_logic_logic_option_bound_t bound(struct bound from) {
  exports_provender_logic_logic_option_bound_t made = {.is_some = true};
  if (from.parameter) {
    made.val.tag = EXPORTS_PROVENDER_LOGIC_LOGIC_BOUND_PARAMETER;
    logic_plugin_string_dup(&made.val.val.parameter, from.parameter);
  } else {
    made.val.tag = EXPORTS_PROVENDER_LOGIC_LOGIC_BOUND_VALUE;
    made.val.val.value = from.number;
  }
  return made;
}

void exports_provender_logic_logic_describe(exports_provender_logic_logic_description_t *ret) {
  memset(ret, 0, sizeof *ret);
  logic_plugin_string_dup(&ret->name, LOGIC.name);
  logic_plugin_string_dup(&ret->version, LOGIC.version);
  logic_plugin_string_dup(&ret->summary, LOGIC.summary);
  LIST(ret->inputs, LOGIC.input_count);
  for (size_t n = 0; n < LOGIC.input_count; n++) {
    const struct input *i = &LOGIC.inputs[n];
    field(&ret->inputs.ptr[n].field, i->name, i->type, i->unit, i->nullable, i->doc);
    logic_plugin_string_dup(&ret->inputs.ptr[n].feature, i->feature);
  }
  LIST(ret->parameters, LOGIC.parameter_count);
  for (size_t n = 0; n < LOGIC.parameter_count; n++) {
    const struct parameter *p = &LOGIC.parameters[n];
    exports_provender_logic_logic_parameter_t *to = &ret->parameters.ptr[n];
    logic_plugin_string_dup(&to->name, p->name);
    to->unit = option(p->unit);
    to->default_ = number(p->value);
    to->minimum.is_some = to->maximum.is_some = true;
    to->minimum.val = number(p->minimum);
    to->maximum.val = number(p->maximum);
    logic_plugin_string_dup(&to->doc, p->doc);
  }
  LIST(ret->outputs, LOGIC.output_count);
  for (size_t n = 0; n < LOGIC.output_count; n++) {
    const struct output *o = &LOGIC.outputs[n];
    field(&ret->outputs.ptr[n].field, o->name, o->type, o->unit, o->nullable, o->doc);
    ret->outputs.ptr[n].role = (uint8_t)o->role;
    ret->outputs.ptr[n].formula = option(o->formula);
  }
  LIST(ret->guardrails, LOGIC.guardrail_count);
  for (size_t n = 0; n < LOGIC.guardrail_count; n++) {
    const struct guardrail *g = &LOGIC.guardrails[n];
    logic_plugin_string_dup(&ret->guardrails.ptr[n].output, g->output);
    ret->guardrails.ptr[n].minimum = bound(g->minimum);
    ret->guardrails.ptr[n].maximum = bound(g->maximum);
    ret->guardrails.ptr[n].severity = (uint8_t)g->severity;
  }
  LIST(ret->monitors, 2 * LOGIC.monitor_count);
  for (size_t n = 0; n < 2 * LOGIC.monitor_count; n++) {
    const struct monitor *m = &LOGIC.monitors[n / 2];
    exports_provender_logic_logic_monitor_rule_t *to = &ret->monitors.ptr[n];
    logic_plugin_string_dup(&to->metric, m->metric);
    to->subject = option(m->subject);
    to->scope = n % 2 ? EXPORTS_PROVENDER_LOGIC_LOGIC_SCOPE_SERIES : EXPORTS_PROVENDER_LOGIC_LOGIC_SCOPE_FLEET;
    to->direction = (uint8_t)m->direction;
    to->warn.is_some = to->crit.is_some = true;
    to->warn.val = m->warn;
    to->crit.val = m->crit;
    to->min_rows = 1;
  }
  LIST(ret->annotations, LOGIC.annotation_count);
  for (size_t n = 0; n < LOGIC.annotation_count; n++) {
    logic_plugin_string_dup(&ret->annotations.ptr[n].f0, LOGIC.annotations[n].key);
    logic_plugin_string_dup(&ret->annotations.ptr[n].f1, LOGIC.annotations[n].text);
  }
}

static bool bad_parameter(failure_t *err, const char *name, const char *message) {
  err->tag = EXPORTS_PROVENDER_LOGIC_LOGIC_FAILURE_INVALID_PARAMETER;
  logic_plugin_string_dup(&err->val.invalid_parameter.f0, name);
  logic_plugin_string_dup(&err->val.invalid_parameter.f1, message);
  return false;
}

/* `row` is below 0 where the failure is about no single row. */
static bool bad_input(failure_t *err, const char *name, int64_t row, const char *message) {
  err->tag = EXPORTS_PROVENDER_LOGIC_LOGIC_FAILURE_INVALID_INPUT;
  logic_plugin_string_dup(&err->val.invalid_input.f0, name);
  err->val.invalid_input.f1.is_some = row >= 0;
  err->val.invalid_input.f1.val = (uint32_t)row;
  logic_plugin_string_dup(&err->val.invalid_input.f2, message);
  return false;
}

/* "NAME: MESSAGE", without the standard library's printing: it would import a file to print to. */
static bool internal(failure_t *err, const char *name, const char *message) {
  size_t n = strlen(name), m = strlen(message);
  char *text = zeroed(n + m + 3, 1);
  memcpy(text, name, n);
  memcpy(text + n, ": ", 2);
  memcpy(text + n + 2, message, m);
  err->tag = EXPORTS_PROVENDER_LOGIC_LOGIC_FAILURE_INTERNAL;
  logic_plugin_string_dup(&err->val.internal, text);
  free(text);
  return false;
}

/* The host checks its columns before they cross, so that offsets ascend and days are of the calendar;
   what a slip in the declaration could bring about is checked again in `check`. */
static bool bit(const uint8_t *bits, size_t n) { return bits[n / 8] >> (n % 8) & 1; }

/* The column is of its declared type and has a value for each row, and nulls only where they may be. */
static bool check(const struct input *input, const column_t *column, size_t rows, failure_t *err) {
  if (column->values.tag != (uint8_t)input->type) return bad_input(err, input->name, -1, "the column is of another type than declared");
  size_t length = 0, wanted = rows;
  switch (input->type) {
    case FLOAT64: length = column->values.val.float64.len; break;
    case INT64: length = column->values.val.int64.len; break;
    case DATE: length = column->values.val.date.len; break;
    case BOOLEAN: length = column->values.val.boolean.len, wanted = (rows + 7) / 8; break;
    case TEXT: length = column->values.val.text.offsets.len, wanted = rows + 1; break;
  }
  if (length != wanted) return bad_input(err, input->name, -1, "the column has not one value for each row");
  if (!column->validity.is_some) return true;
  if (column->validity.val.len != (rows + 7) / 8) return bad_input(err, input->name, -1, "the validity has not one bit for each row");
  for (size_t row = 0; row < rows && !input->nullable; row++)
    if (!bit(column->validity.val.ptr, row)) return bad_input(err, input->name, (int64_t)row, "it is null, and it is declared without nulls");
  return true;
}

static struct cell get(const column_t *column, size_t row) {
  struct cell cell = {.there = !column->validity.is_some || bit(column->validity.val.ptr, row)};
  if (!cell.there) return cell;
  const uint32_t *offsets = column->values.val.text.offsets.ptr;
  switch (column->values.tag) {
    case FLOAT64: cell.number = column->values.val.float64.ptr[row]; break;
    case INT64: cell.integer = column->values.val.int64.ptr[row]; break;
    case BOOLEAN: cell.truth = bit(column->values.val.boolean.ptr, row); break;
    case DATE: cell.day = column->values.val.date.ptr[row]; break;
    case TEXT:
      cell.text.start = (const char *)column->values.val.text.bytes.ptr + offsets[row];
      cell.text.length = offsets[row + 1] - offsets[row];
      break;
  }
  return cell;
}

/* An empty column with room for all rows; its validity says that all are null. */
static void start(column_t *column, enum type type, size_t rows) {
  column->values.tag = (uint8_t)type;
  column->validity.is_some = true;
  LIST(column->validity.val, (rows + 7) / 8);
  switch (type) {
    case FLOAT64: LIST(column->values.val.float64, rows); break;
    case INT64: LIST(column->values.val.int64, rows); break;
    case BOOLEAN: LIST(column->values.val.boolean, (rows + 7) / 8); break;
    case DATE: LIST(column->values.val.date, rows); break;
    case TEXT:
      LIST(column->values.val.text.offsets, rows + 1);
      column->values.val.text.bytes = (logic_plugin_list_u8_t){0};
      break;
  }
}

static void append(exports_provender_logic_logic_text_values_t *text, size_t *room, struct cell cell) {
  size_t end = text->bytes.len + cell.text.length;
  if (end > *room) {
    *room = 2 * end;
    text->bytes.ptr = realloc(text->bytes.ptr, *room);
    if (!text->bytes.ptr) __builtin_trap();
  }
  if (cell.text.length) memcpy(text->bytes.ptr + text->bytes.len, cell.text.start, cell.text.length);
  text->bytes.len = end;
}

static bool put(const struct output *output, column_t *column, size_t *room, size_t row, struct cell cell, failure_t *err) {
  if (cell.there) column->validity.val.ptr[row / 8] |= (uint8_t)(1 << row % 8);
  else if (!output->nullable) return internal(err, output->name, "it is null, although it is declared without nulls");
  switch (output->type) {
    case FLOAT64:
      if (!cell.there) break;
      if (!isfinite(cell.number)) return internal(err, output->name, "it is not a finite number; give null and a reason where there is no answer");
      /* -0.0 + 0.0 is 0.0: one zero, one set of bits. */
      column->values.val.float64.ptr[row] = cell.number + 0.0;
      break;
    case INT64: column->values.val.int64.ptr[row] = cell.there ? cell.integer : 0; break;
    case DATE: column->values.val.date.ptr[row] = cell.there ? cell.day : 0; break;
    case BOOLEAN:
      if (cell.there && cell.truth) column->values.val.boolean.ptr[row / 8] |= (uint8_t)(1 << row % 8);
      break;
    case TEXT:
      if (cell.there) append(&column->values.val.text, room, cell);
      column->values.val.text.offsets.ptr[row + 1] = (uint32_t)column->values.val.text.bytes.len;
      break;
  }
  return true;
}

static bool take_parameters(const exports_provender_logic_logic_list_scalar_t *given, double *to, failure_t *err) {
  if (given->len != LOGIC.parameter_count) return internal(err, LOGIC.name, "the host gave another number of parameters than are declared");
  for (size_t n = 0; n < given->len; n++) {
    const struct parameter *p = &LOGIC.parameters[n];
    if (given->ptr[n].tag != EXPORTS_PROVENDER_LOGIC_LOGIC_SCALAR_FLOAT64) return bad_parameter(err, p->name, "it is not a number of type float64");
    to[n] = given->ptr[n].val.float64;
    if (!(to[n] >= p->minimum && to[n] <= p->maximum)) return bad_parameter(err, p->name, "it lies outside its declared range");
  }
  return true;
}

static bool compute(size_t rows, const exports_provender_logic_logic_list_scalar_t *scalars,
                    const exports_provender_logic_logic_list_column_t *columns,
                    exports_provender_logic_logic_list_column_t *made, failure_t *err) {
  double parameters[LOGIC.parameter_count + 1];
  struct cell in[LOGIC.input_count + 1], out[LOGIC.output_count];
  size_t room[LOGIC.output_count];
  if (!take_parameters(scalars, parameters, err)) return false;
  if (columns->len != LOGIC.input_count) return internal(err, LOGIC.name, "the host gave another number of columns than are declared");
  for (size_t n = 0; n < columns->len; n++)
    if (!check(&LOGIC.inputs[n], &columns->ptr[n], rows, err)) return false;
  memset(room, 0, sizeof room);
  for (size_t n = 0; n < LOGIC.output_count; n++) start(&made->ptr[n], LOGIC.outputs[n].type, rows);
  for (size_t row = 0; row < rows; row++) {
    for (size_t n = 0; n < LOGIC.input_count; n++) in[n] = get(&columns->ptr[n], row);
    memset(out, 0, sizeof out);
    LOGIC.row(parameters, in, out);
    for (size_t n = 0; n < LOGIC.output_count; n++)
      if (!put(&LOGIC.outputs[n], &made->ptr[n], &room[n], row, out[n], err)) return false;
  }
  return true;
}

bool exports_provender_logic_logic_compute(uint32_t rows, exports_provender_logic_logic_list_scalar_t *parameters,
                                           exports_provender_logic_logic_list_column_t *inputs,
                                           exports_provender_logic_logic_list_column_t *ret, failure_t *err) {
  LIST(*ret, LOGIC.output_count);
  bool done = compute(rows, parameters, inputs, ret, err);
  exports_provender_logic_logic_list_scalar_free(parameters);
  exports_provender_logic_logic_list_column_free(inputs);
  if (!done) exports_provender_logic_logic_list_column_free(ret);
  return done;
}
