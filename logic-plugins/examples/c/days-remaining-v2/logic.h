/* What a logic in C declares, and the function that it is: tables of inputs, parameters and outputs,
   and one row of cells in, one row of cells out. `glue.c` makes columns of it. */
#ifndef PROVENDER_LOGIC_H
#define PROVENDER_LOGIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The types of the contract, numbered as there. A series needs more glue than this example has. */
enum type { FLOAT64, INT64, BOOLEAN, DATE, TEXT };
enum role { OUTCOME, TERM, REASON };
enum severity { WARN, CRIT };
enum direction { ABOVE, BELOW };

/* One value; `there` is false where it is null. */
struct cell {
  bool there;
  union {
    double number;     /* FLOAT64 */
    int64_t integer;   /* INT64 */
    bool truth;        /* BOOLEAN */
    int32_t day;       /* DATE: days since 1970-01-01 */
    struct { const char *start; size_t length; } text; /* TEXT, UTF-8 */
  };
};

struct input { const char *name; enum type type; const char *unit; bool nullable; const char *feature; const char *doc; };
/* Parameters are numbers here: the contract has more types. */
struct parameter { const char *name; const char *unit; double value, minimum, maximum; const char *doc; };
struct output { const char *name; enum type type; const char *unit; bool nullable; enum role role; const char *formula; const char *doc; };
/* A bound is the parameter named, or else the number. */
struct bound { const char *parameter; double number; };
struct guardrail { const char *output; struct bound minimum, maximum; enum severity severity; };
/* Each rule holds for the fleet and for every series. */
struct monitor { const char *metric; const char *subject; enum direction direction; double warn, crit; };
struct annotation { const char *key; const char *text; };

struct logic {
  const char *name, *version, *summary;
  const struct input *inputs; size_t input_count;
  const struct parameter *parameters; size_t parameter_count;
  const struct output *outputs; size_t output_count;
  const struct guardrail *guardrails; size_t guardrail_count;
  const struct monitor *monitors; size_t monitor_count;
  const struct annotation *annotations; size_t annotation_count;
  /* Cells stand in the order of the tables. Outputs are null until they are set. */
  void (*row)(const double parameters[], const struct cell in[], struct cell out[]);
};

/* The logic of this component. */
extern const struct logic LOGIC;

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

#endif
