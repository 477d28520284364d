import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import type { KeyValue, SchemaElement } from 'hyparquet-writer';
import { UserError } from '../base/errors.js';
import { type Column, type Feature, isNumeric, sizeOf } from './features.js';

/** How features lie in Parquet: one number as itself, more as a list, an image as Hugging Face's {bytes, path}. */

const physical = {
  float32: 'FLOAT',
  float64: 'DOUBLE',
  int64: 'INT64',
  int32: 'INT32',
  bool: 'BOOLEAN',
} as const;
type Numeric = keyof typeof physical;

export function scalarElement(name: string, dtype: Numeric | 'string'): SchemaElement {
  if (dtype === 'string')
    return { name, type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' };
  return { name, type: physical[dtype], repetition_type: 'OPTIONAL' };
}

export function listElements(name: string, dtype: Numeric | 'string'): SchemaElement[] {
  return [
    { name, repetition_type: 'OPTIONAL', converted_type: 'LIST', num_children: 1 },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    scalarElement('element', dtype),
  ];
}

export function schemaOf(columns: readonly (readonly SchemaElement[])[]): SchemaElement[] {
  return [{ name: 'root', num_children: columns.length }, ...columns.flat()];
}

/** @throws Error for a video, which is no column */
export function featureElements(name: string, feature: Feature): SchemaElement[] {
  const { dtype } = feature;
  if (dtype === 'video') throw new Error(`${name}: a video is no column`);
  if (dtype === 'image')
    return [
      { name, repetition_type: 'OPTIONAL', num_children: 2 },
      { name: 'bytes', type: 'BYTE_ARRAY', repetition_type: 'OPTIONAL' },
      scalarElement('path', 'string'),
    ];
  return sizeOf(feature) === 1 ? [scalarElement(name, dtype)] : listElements(name, dtype);
}

/** The rows of a column as the Parquet writer takes them. @param file names each image, from its frame */
export function toRows(feature: Feature, column: Column, file: (frame: number) => string): unknown[] {
  if (!isNumeric(feature))
    return feature.dtype === 'image'
      ? (column as readonly Uint8Array[]).map((bytes, i) => ({ bytes, path: file(i) }))
      : [...(column as readonly string[])];
  const values = column as Float64Array;
  const one: (x: number) => unknown =
    feature.dtype === 'int64'
      ? (x: number) => BigInt(x)
      : feature.dtype === 'bool'
        ? (x: number) => x !== 0
        : (x: number) => x;
  const size = sizeOf(feature);
  if (size === 1) return Array.from(values, one);
  return Array.from({ length: values.length / size }, (_, i) =>
    Array.from(values.subarray(size * i, size * (i + 1)), one),
  );
}

/** The other way round. @throws UserError where a row is not of the feature's shape or holds no number */
export function fromRows(feature: Feature, rows: readonly unknown[], where: string): Column {
  if (feature.dtype === 'image')
    return rows.map((row, i) => {
      const { bytes } = (row ?? {}) as { bytes?: Uint8Array };
      if (!(bytes instanceof Uint8Array)) throw new UserError(`${where}: row ${i} holds no image`);
      return bytes;
    });
  if (feature.dtype === 'string') return rows.map(String);
  const size = sizeOf(feature);
  const out = new Float64Array(size * rows.length);
  rows.forEach((row, i) => {
    const values = (Array.isArray(row) || ArrayBuffer.isView(row) ? flat(row) : [row]) as unknown[];
    if (values.length !== size)
      throw new UserError(`${where}: row ${i} has ${values.length} values, expected ${size}`);
    for (let k = 0; k < size; k++) {
      const value = values[k];
      if (typeof value !== 'number' && typeof value !== 'bigint' && typeof value !== 'boolean')
        throw new UserError(`${where}: row ${i} holds ${String(value)}, expected ${feature.dtype}`);
      out[size * i + k] = Number(value);
    }
  });
  return out;
}

function flat(row: unknown): unknown[] {
  if (ArrayBuffer.isView(row)) return Array.from(row as unknown as ArrayLike<number>);
  return Array.isArray(row) ? row.flatMap(flat) : [row];
}

/** Rows of a file, all or some. @throws UserError where it cannot be read */
export async function readRows(
  path: string,
  range: { rowStart?: number; rowEnd?: number; columns?: string[] } = {},
): Promise<Record<string, unknown>[]> {
  try {
    const file = await asyncBufferFromFile(path);
    return await parquetReadObjects({ file, compressors, utf8: false, ...range });
  } catch (error) {
    throw new UserError(`${path}: no Parquet file that can be read (${(error as Error).message})`);
  }
}

/** Names of a file's columns. @throws UserError where it cannot be read */
export async function columnNames(path: string): Promise<string[]> {
  try {
    const { schema } = await parquetMetadataAsync(await asyncBufferFromFile(path));
    const names: string[] = [];
    for (let i = 1; i < schema.length; i += span(schema, i)) names.push(schema[i].name);
    return names;
  } catch (error) {
    throw new UserError(`${path}: no Parquet file that can be read (${(error as Error).message})`);
  }
}

/** Elements of a column's schema, its children included. */
function span(schema: readonly SchemaElement[], at: number): number {
  let elements = 1;
  for (let child = 0; child < (schema[at].num_children ?? 0); child++)
    elements += span(schema, at + elements);
  return elements;
}

/** What pandas needs to take a column for the index, as LeRobot's own files of tasks have it. */
export function pandasIndex(index: string, columns: Readonly<Record<string, string>>): KeyValue {
  const column = (name: string, type: string) => ({
    name,
    field_name: name,
    pandas_type: type,
    numpy_type: type === 'unicode' ? 'object' : type,
    metadata: null,
  });
  const described = Object.entries(columns).map(([name, type]) => column(name, type));
  return {
    key: 'pandas',
    value: JSON.stringify({
      index_columns: [index],
      column_indexes: [{ ...column('', 'unicode'), name: null, field_name: null }],
      columns: [...described, { ...column(index, 'unicode'), name: null }],
      creator: { library: 'pyarrow', version: '20.0.0' },
      pandas_version: '2.3.0',
    }),
  };
}
