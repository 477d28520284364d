import { concat, interval, mergeMap, type Observable, of, share, takeUntil } from 'rxjs';

/** What can be emptied record by record; the ring of src/control is one. */
export interface RecordSource {
  readonly fields: number;
  pop(into: Float64Array): boolean;
}

/**
 * The records of a ring as a hot stream, looked for every `period_ms`. The ring is emptied only while
 * somebody listens, and one poll serves all who do.
 * @param read makes a value that outlives the record
 * @param until completes the stream, after what is in the ring by then
 */
export function streamOf<T>(
  ring: RecordSource,
  period_ms: number,
  read: (record: Float64Array) => T,
  until: Observable<unknown>,
): Observable<T> {
  const record = new Float64Array(ring.fields);
  return concat(interval(period_ms).pipe(takeUntil(until)), of(-1)).pipe(
    mergeMap(() => {
      const values: T[] = [];
      while (ring.pop(record)) values.push(read(record));
      return values;
    }),
    share(),
  );
}
