package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	commonv1 "github.com/bluesky/bluesky-queueserver-grpc/clients/go/gen/queueserver/common/v1"
)

// readings collects the events of the first stream of a run.
type readings struct {
	runUID     string
	descriptor *commonv1.EventDescriptor
	rows       []*commonv1.EventDocument
}

func newReadings() *readings { return &readings{} }

// add takes a document of a run; the others than start, descriptor and event are passed over.
func (r *readings) add(document *commonv1.RunDocument) {
	switch kind := document.GetKind().(type) {
	case *commonv1.RunDocument_Start:
		r.runUID = kind.Start.GetUid()
	case *commonv1.RunDocument_EventDescriptor:
		if r.descriptor == nil {
			r.descriptor = kind.EventDescriptor
		}
	case *commonv1.RunDocument_Event:
		if kind.Event.GetDescriptorUid() == r.descriptor.GetUid() {
			r.rows = append(r.rows, kind.Event)
			fmt.Println("Row", kind.Event.GetSeqNum())
		}
	}
}

// print writes the rows as a table, columns in the order of the descriptor.
func (r *readings) print(out io.Writer) {
	fmt.Fprintln(out, "Readings of run", r.runUID)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	columns := r.descriptor.GetColumns()
	fmt.Fprintln(table, strings.Join(append([]string{"seq_num"}, columns...), "\t"))
	for _, row := range r.rows {
		cells := []string{strconv.FormatInt(row.GetSeqNum(), 10)}
		for _, column := range columns {
			cells = append(cells, show(row.GetData()[column]))
		}
		fmt.Fprintln(table, strings.Join(cells, "\t"))
	}
	table.Flush()
}

// show is a value in a few characters: a scalar as it is, an array as its shape and element type in NumPy's notation.
func show(value *commonv1.DataValue) string {
	switch kind := value.GetKind().(type) {
	case *commonv1.DataValue_Boolean:
		return strconv.FormatBool(kind.Boolean)
	case *commonv1.DataValue_Integer:
		return strconv.FormatInt(kind.Integer, 10)
	case *commonv1.DataValue_BigInteger:
		return kind.BigInteger
	case *commonv1.DataValue_Number:
		return strconv.FormatFloat(kind.Number, 'g', 6, 64)
	case *commonv1.DataValue_Text:
		return kind.Text
	case *commonv1.DataValue_Array:
		lengths := make([]string, len(kind.Array.GetShape()))
		for axis, length := range kind.Array.GetShape() {
			lengths[axis] = strconv.FormatInt(length, 10)
		}
		return fmt.Sprintf("array %s %s", strings.Join(lengths, "x"), kind.Array.GetDtype())
	default:
		return "-"
	}
}
