// From a declaration and a row function to the contract, and from its columns to rows and back.
// Nothing here knows the logic: it can be copied beside another one.
//
// Values of a row: float64 and int64 a number, boolean true or false, date the days since 1970-01-01,
// text a string; null where there is none. A series needs more than this.
//
// The runtime hands over an int64 as a Number, which has rounded it where it lies beyond 2^53: such a
// value is refused, by row, because another integer would be computed with.

/** An input, a row or a parameter that cannot be computed with: the host names it. */
export class InputError extends Error {
  constructor(name, message) {
    super(message);
    this.input = name;
  }
}

/** The interface `logic` of the contract, made of a declaration. */
export function component(logic) {
  return {
    describe: () => description(logic),
    compute: (rows, scalars, columns) => {
      try {
        return compute(logic, rows, scalars, columns);
      } catch (error) {
        // Anything that is no failure of the contract would trap, and a trap has lost its message.
        throw error?.tag ? error : failure(error, 0, 1);
      }
    },
  };
}

// What reaches outside says so, instead of trapping without a word; Math.random would give the same
// numbers in every batch.
const refuse = (name) => () => { throw new Error(`${name} reaches outside, and a logic computes from its inputs alone`); };
Date.now = refuse('Date.now');
Math.random = refuse('Math.random');

const field = (f) => ({ name: f.name, dataType: f.type, unit: f.unit, nullable: f.nullable ?? false, doc: f.doc });
const float = (value) => ({ tag: 'float64', val: value });
const bound = (b) => (typeof b === 'string' ? { tag: 'parameter', val: b } : { tag: 'value', val: b });

function description(logic) {
  return {
    name: logic.name,
    version: logic.version,
    summary: logic.summary,
    inputs: logic.inputs.map((i) => ({ field: field(i), feature: i.feature ?? i.name })),
    // Parameters are numbers here: the contract has more types.
    parameters: logic.parameters.map((p) => ({
      name: p.name, unit: p.unit, default: float(p.value), minimum: float(p.minimum), maximum: float(p.maximum), doc: p.doc,
    })),
    outputs: logic.outputs.map((o) => ({ field: field(o), role: o.role, formula: o.formula })),
    guardrails: logic.guardrails.map((g) => ({
      output: g.output, minimum: bound(g.minimum), maximum: bound(g.maximum), severity: g.severity,
    })),
    // Each rule holds for the fleet and for every series.
    monitors: logic.monitors.flatMap((m) =>
      ['fleet', 'series'].map((scope) => ({
        metric: m.metric, subject: m.subject, scope, direction: m.direction, warn: m.warn, crit: m.crit, minRows: 1,
      }))),
    annotations: logic.annotations,
  };
}

const invalidInput = (name, row, message) => ({ tag: 'invalid-input', val: [name, row, message] });
const invalidParameter = (name, message) => ({ tag: 'invalid-parameter', val: [name, message] });
const internal = (message) => ({ tag: 'internal', val: message });

function parametersOf(logic, scalars) {
  if (scalars.length !== logic.parameters.length) throw internal('the host gave another number of parameters than are declared');
  const parameters = {};
  logic.parameters.forEach((p, n) => {
    const { tag, val } = scalars[n];
    if (tag !== 'float64') throw invalidParameter(p.name, `it is of type ${tag} where float64 is declared`);
    if (!(val >= p.minimum && val <= p.maximum)) throw invalidParameter(p.name, `${val} lies outside ${p.minimum} to ${p.maximum}`);
    parameters[p.name] = val;
  });
  return parameters;
}

const bit = (bits, n) => ((bits[n >> 3] >> (n & 7)) & 1) === 1;

/** The values of a column in an array, null where the column is. */
function read(input, column, rows) {
  const { tag, val } = column.values;
  if (tag !== input.type) throw invalidInput(input.name, undefined, `the column holds ${tag} where ${input.type} is declared`);
  const length = tag === 'text' ? val.offsets.length - 1 : tag === 'boolean' ? rows : val.length;
  if (length !== rows) throw invalidInput(input.name, undefined, `the column has ${length} values where ${rows} are needed`);
  const valid = column.validity;
  const values = new Array(rows);
  for (let row = 0; row < rows; row++) {
    if (valid && !bit(valid, row)) {
      if (!input.nullable) throw invalidInput(input.name, row, `row ${row} is null, and the input is declared without nulls`);
      values[row] = null;
    } else if (tag === 'text') {
      values[row] = decode(val.bytes, val.offsets[row], val.offsets[row + 1]);
    } else {
      values[row] = tag === 'boolean' ? bit(val, row) : val[row];
      if (tag === 'int64' && !Number.isSafeInteger(values[row])) throw invalidInput(input.name, row, `${values[row]} lies beyond 2^53, where this runtime cannot tell integers apart`);
    }
  }
  return values;
}

// Plain loops: QuickJS interprets, and a closure or an iterator per value costs as much as the value.
function compute(logic, rows, scalars, columns) {
  const parameters = parametersOf(logic, scalars);
  const { inputs, outputs } = logic;
  if (columns.length !== inputs.length) throw internal('the host gave another number of columns than are declared');
  const given = inputs.map((input, n) => read(input, columns[n], rows));
  const made = outputs.map(() => new Array(rows));
  const inputNames = inputs.map((input) => input.name);
  const outputNames = outputs.map((output) => output.name);
  const cells = {};
  for (let row = 0; row < rows; row++) {
    for (let n = 0; n < inputNames.length; n++) cells[inputNames[n]] = given[n][row];
    let result;
    try {
      result = logic.row(parameters, cells);
      if (typeof result !== 'object' || result === null) throw new TypeError(`the row function gave ${result} where an object is needed`);
    } catch (error) {
      throw failure(error, row, rows);
    }
    for (let n = 0; n < outputNames.length; n++) made[n][row] = result[outputNames[n]] ?? null;
  }
  return outputs.map((output, n) => write(output, made[n]));
}

function failure(error, row, rows) {
  if (error instanceof InputError) return invalidInput(error.input, row, error.message);
  // Function, file and line of the innermost frame that is the author's own.
  const frames = String(error?.stack ?? '').trim().split('\n').map((frame) => frame.trim());
  const place = frames.find((frame) => !frame.includes('/glue.js')) ?? frames[0];
  return internal(`${error}${place ? ` (${place}${rows > 1 ? `, row ${row}` : ''})` : ''}`);
}

const ZERO = { float64: 0, int64: 0, boolean: false, date: 0, text: '' };
const TYPE = { float64: 'number', int64: 'number', boolean: 'boolean', date: 'number', text: 'string' };

/** An array with null for no value, as a column of the contract. */
function write(output, values) {
  const bits = new Uint8Array((values.length + 7) >> 3).fill(255);
  let nulls = false;
  for (let row = 0; row < values.length; row++) {
    const fault = faultOf(output, values[row]);
    if (fault) throw internal(`output \`${output.name}\`: ${fault}${values.length > 1 ? ` (row ${row})` : ''}`);
    if (values[row] === null) {
      nulls = true;
      values[row] = ZERO[output.type];
      bits[row >> 3] &= ~(1 << (row & 7));
    }
  }
  return { values: { tag: output.type, val: valuesOf(output.type, values) }, validity: nulls ? bits : null };
}

function faultOf({ type, nullable }, value) {
  if (value === null) return nullable ? null : 'it is null, although it is declared without nulls';
  if (typeof value !== TYPE[type]) return `it is of type ${typeof value} where ${type} is declared`;
  if (type === 'float64') {
    return Number.isFinite(value) ? null : `${value} is not a finite number; give null and a reason where there is no answer`;
  }
  if (type === 'int64' && !Number.isSafeInteger(value)) return `${value} is no integer that a number holds exactly`;
  if (type === 'date' && (value | 0) !== value) return `${value} is no whole number of days`;
  return null;
}

// Plain arrays: the runtime traps on typed ones, except for bytes.
function valuesOf(type, values) {
  switch (type) {
    // -0.0 + 0.0 is 0.0: one zero, one set of bits.
    case 'float64':
      for (let row = 0; row < values.length; row++) values[row] += 0;
      return values;
    case 'boolean': {
      const bits = new Uint8Array((values.length + 7) >> 3);
      values.forEach((value, row) => { if (value) bits[row >> 3] |= 1 << (row & 7); });
      return bits;
    }
    case 'text': return texts(values);
    default: return values;
  }
}

function texts(values) {
  const offsets = [0];
  const bytes = [];
  // Texts repeat: each different one is encoded once.
  const known = new Map();
  for (const text of values) {
    let encoded = known.get(text);
    if (encoded === undefined) known.set(text, (encoded = encode(text)));
    bytes.push(encoded);
    offsets.push(offsets[offsets.length - 1] + encoded.length);
  }
  const all = new Uint8Array(offsets[values.length]);
  for (let row = 0; row < bytes.length; row++) all.set(bytes[row], offsets[row]);
  return { offsets, bytes: all };
}

// There is no TextEncoder in a component without imports.
function encode(text) {
  const bytes = [];
  for (const character of text) {
    const c = character.codePointAt(0);
    if (c < 0x80) bytes.push(c);
    else if (c < 0x800) bytes.push(0xc0 | (c >> 6), 0x80 | (c & 63));
    else if (c < 0x10000) bytes.push(0xe0 | (c >> 12), 0x80 | ((c >> 6) & 63), 0x80 | (c & 63));
    else bytes.push(0xf0 | (c >> 18), 0x80 | ((c >> 12) & 63), 0x80 | ((c >> 6) & 63), 0x80 | (c & 63));
  }
  return Uint8Array.from(bytes);
}

function decode(bytes, from, to) {
  let escaped = '';
  for (let n = from; n < to; n++) escaped += '%' + bytes[n].toString(16).padStart(2, '0');
  return decodeURIComponent(escaped);
}
