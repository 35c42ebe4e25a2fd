// Says how Go reads manifests: what registries and clients that are written in it take one for.
//
// A line in is "index" or "manifest", a space, and the body in base64; a line out is what was read, as JSON,
// or null when the decoder ended with an error.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

func read(kind string, body []byte) any {
	if kind == "index" {
		var index v1.Index
		if json.Unmarshal(body, &index) != nil {
			return nil
		}
		return index
	}
	var manifest v1.Manifest
	if json.Unmarshal(body, &manifest) != nil {
		return nil
	}
	return manifest
}

func main() {
	lines := bufio.NewReaderSize(os.Stdin, 1<<16)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		kind, encoded, _ := strings.Cut(strings.TrimSpace(line), " ")
		body, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil {
			panic(err)
		}
		said, err := json.Marshal(read(kind, body))
		if err != nil {
			panic(err)
		}
		fmt.Println(string(said))
	}
}
