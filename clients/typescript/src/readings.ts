import type { EventDescriptor, EventDocument, RunDocument } from "../gen/queueserver/common/v1/document_pb.js";
import type { DataValue } from "../gen/queueserver/common/v1/value_pb.js";

/** Collects the events of the first stream of a run. */
export class Readings {
  private runUid = "";
  private descriptor?: EventDescriptor;
  private readonly rows: EventDocument[] = [];

  /** Take a document of a run; the others than start, descriptor and event are passed over. */
  add({ kind }: RunDocument): void {
    if (kind.case === "start") {
      this.runUid = kind.value.uid;
    } else if (kind.case === "eventDescriptor") {
      this.descriptor ??= kind.value;
    } else if (kind.case === "event" && kind.value.descriptorUid === this.descriptor?.uid) {
      this.rows.push(kind.value);
      console.log(`Row ${kind.value.seqNum}`);
    }
  }

  /** Print the rows as a table, columns in the order of the descriptor. */
  print(): void {
    console.log(`Readings of run ${this.runUid}`);
    const columns = this.descriptor?.columns ?? [];
    const table = [
      ["seq_num", ...columns],
      ...this.rows.map((row) => [String(row.seqNum), ...columns.map((column) => show(row.data[column]))]),
    ];
    const widths = table[0]!.map((_, place) => Math.max(...table.map((cells) => cells[place]!.length)));
    for (const cells of table) {
      console.log(cells.map((cell, place) => cell.padEnd(widths[place]!)).join("  ").trimEnd());
    }
  }
}

/** A value in a few characters: a scalar as it is, an array as its shape and element type in NumPy's notation. */
function show(value: DataValue | undefined): string {
  const kind = value?.kind;
  switch (kind?.case) {
    case "number":
      return String(Number(kind.value.toPrecision(6)));
    case "boolean":
    case "integer":
    case "bigInteger":
    case "text":
      return String(kind.value);
    case "array":
      return `array ${kind.value.shape.join("x")} ${kind.value.dtype}`;
    default:
      return "-";
  }
}
