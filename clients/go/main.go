// A client of the Queue Server: it lists the plans, adds a scan, starts the queue and follows the scan to its end,
// also across a restart of the Manager. Then it prints what was measured.
//
// The generated packages come from `go generate`; see README.md.
package main

//go:generate buf generate

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"

	managerv1 "github.com/bluesky/bluesky-queueserver-grpc/clients/go/gen/queueserver/manager/v1"
)

const (
	defaultAddress = "localhost:60630"
	// callTimeout is how long a single call may take.
	callTimeout = 10 * time.Second
	// longestMessage is what this client takes; an event with a large array has more than gRPC's default of 4 MiB.
	longestMessage = 64 << 20
)

// client has a stub of each service that this program calls.
type client struct {
	inventory managerv1.InventoryServiceClient
	queue     managerv1.QueueServiceClient
	events    managerv1.EventServiceClient
}

func main() {
	address := defaultAddress
	if len(os.Args) > 1 {
		address = os.Args[1]
	}
	if err := run(context.Background(), address); err != nil {
		fmt.Fprintln(os.Stderr, describe(err))
		os.Exit(1)
	}
}

func run(ctx context.Context, address string) error {
	// Without this gRPC waits for up to two minutes before it looks for a restarted server again.
	retry := backoff.DefaultConfig
	retry.MaxDelay = time.Second
	connection, err := grpc.NewClient(address,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: retry, MinConnectTimeout: time.Second}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(longestMessage)),
	)
	if err != nil {
		return err
	}
	defer connection.Close()
	c := client{
		inventory: managerv1.NewInventoryServiceClient(connection),
		queue:     managerv1.NewQueueServiceClient(connection),
		events:    managerv1.NewEventServiceClient(connection),
	}

	plans, err := c.planNames(ctx)
	if err != nil {
		return err
	}
	fmt.Println("Plans:", strings.Join(plans, ", "))
	if _, err := c.addScan(ctx, "five"); err != nil {
		fmt.Println("Refused:", describe(err))
	}
	item, err := c.addScan(ctx, 5)
	if err != nil {
		return err
	}
	fmt.Println("Added:", item.GetName(), item.GetItemUid())

	measured := newReadings()
	result, err := c.follow(ctx, item.GetItemUid(), measured)
	if err != nil {
		return err
	}
	ended := strings.TrimPrefix(result.GetExitStatus().String(), "EXIT_STATUS_")
	if result.GetMessage() != "" {
		ended += ": " + result.GetMessage()
	}
	fmt.Println("Ended:", ended)
	measured.print(os.Stdout)
	if ended != "COMPLETED" {
		return fmt.Errorf("the scan ended as %s", ended)
	}
	return nil
}
