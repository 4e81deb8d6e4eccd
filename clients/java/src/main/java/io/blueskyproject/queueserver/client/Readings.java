package io.blueskyproject.queueserver.client;

import io.blueskyproject.queueserver.common.v1.DataValue;
import io.blueskyproject.queueserver.common.v1.EventDocument;
import io.blueskyproject.queueserver.common.v1.NdArray;
import io.blueskyproject.queueserver.common.v1.RunDocument;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The events of the stream "primary" of one run, as a table. */
final class Readings {
  private String runUid = "";
  private String descriptorUid = "";
  private List<String> columns = List.of();
  private final List<List<String>> rows = new ArrayList<>();

  /** Takes one document of the run in; answers the number of the row that it brought, if it brought one. */
  OptionalLong take(RunDocument document) {
    switch (document.getKindCase()) {
      case START -> runUid = document.getStart().getUid();
      case EVENT_DESCRIPTOR -> {
        if (document.getEventDescriptor().getName().equals("primary")) {
          descriptorUid = document.getEventDescriptor().getUid();
          columns = document.getEventDescriptor().getColumnsList();
        }
      }
      case EVENT -> {
        EventDocument event = document.getEvent();
        if (event.getDescriptorUid().equals(descriptorUid)) {
          rows.add(row(event));
          return OptionalLong.of(event.getSeqNum());
        }
      }
      default -> { }
    }
    return OptionalLong.empty();
  }

  private List<String> row(EventDocument event) {
    Stream<String> values =
        columns.stream().map(column -> text(event.getDataOrDefault(column, DataValue.getDefaultInstance())));
    return Stream.concat(Stream.of(Long.toString(event.getSeqNum())), values).toList();
  }

  private static String text(DataValue value) {
    return switch (value.getKindCase()) {
      case BOOLEAN -> Boolean.toString(value.getBoolean());
      case INTEGER -> Long.toString(value.getInteger());
      case NUMBER -> "%.6g".formatted(value.getNumber());
      case TEXT -> value.getText();
      case BINARY -> value.getBinary().size() + " bytes";
      case LIST -> value.getList().getValuesCount() + " values";
      case MAP -> value.getMap().getEntriesCount() + " entries";
      case ARRAY -> text(value.getArray());
      case BIG_INTEGER -> value.getBigInteger();
      // null, or a kind that a newer server knows
      case NULL, KIND_NOT_SET -> "-";
    };
  }

  private static String text(NdArray array) {
    String shape = array.getShapeList().stream().map(String::valueOf).collect(Collectors.joining("x"));
    return "array %s %s".formatted(shape, array.getDtype());
  }

  @Override
  public String toString() {
    List<String> header = Stream.concat(Stream.of("seq_num"), columns.stream()).toList();
    List<List<String>> lines = Stream.concat(Stream.of(header), rows.stream()).toList();
    int[] widths = IntStream.range(0, header.size())
        .map(column -> lines.stream().mapToInt(line -> line.get(column).length()).max().orElse(1)).toArray();
    return lines.stream()
        .map(line -> IntStream.range(0, line.size())
            .mapToObj(column -> ("%-" + widths[column] + "s").formatted(line.get(column)))
            .collect(Collectors.joining("  ")))
        .collect(Collectors.joining("\n", "Readings of run " + runUid + "\n", ""));
  }
}
