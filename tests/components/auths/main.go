// Command auths tells which logins docker/cli's and containers' own libraries have for a registry,
// by a file that holds them: many questions in one process, for the differential tests.
//
// In, one JSON object a line: a file, and keys. Out, one line for each: by key, what either library
// may answer. docker/cli picks one of several legacy spellings by a map's order, that is, any.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	cli "github.com/docker/cli/cli/config"
	"github.com/sirupsen/logrus"
	"go.podman.io/image/v5/pkg/docker/config"
	"go.podman.io/image/v5/types"
)

// tries of one question to docker/cli: with two candidates, one chance in a million to see one only.
const tries = 20

type question struct {
	File string   `json:"file"`
	Keys []string `json:"keys"`
}

type login struct {
	Username      string `json:"username"`
	Password      string `json:"password"`
	IdentityToken string `json:"identitytoken"`
	RegistryToken string `json:"registrytoken"`
}

// answer holds all that a library may say about one key.
type answer struct {
	Logins []login `json:"logins"`
	Error  string  `json:"error"`
}

type answers struct {
	Docker     []answer `json:"docker"`
	Containers []answer `json:"containers"`
}

func docker(asked question) []answer {
	found := make([]answer, len(asked.Keys))
	file, err := os.Open(asked.File)
	if err != nil {
		return failed(found, err)
	}
	defer file.Close()
	loaded, err := cli.LoadFromReader(file)
	if err != nil {
		return failed(found, err)
	}
	for i, key := range asked.Keys {
		seen := map[login]bool{}
		for range tries {
			got, err := loaded.GetAuthConfig(key)
			if err != nil {
				found[i].Error = err.Error()
				break
			}
			one := login{got.Username, got.Password, got.IdentityToken, got.RegistryToken}
			if !seen[one] {
				seen[one] = true
				found[i].Logins = append(found[i].Logins, one)
			}
		}
	}
	return found
}

func containers(asked question) []answer {
	found := make([]answer, len(asked.Keys))
	system := &types.SystemContext{
		AuthFilePath:                asked.File,
		SystemRegistriesConfPath:    os.DevNull,
		SystemRegistriesConfDirPath: filepath.Join(filepath.Dir(asked.File), "no registries.conf.d"),
	}
	for i, key := range asked.Keys {
		seen := map[login]bool{}
		for range tries {
			got, err := config.GetCredentials(system, key)
			if err != nil {
				found[i].Error = err.Error()
				break
			}
			one := login{got.Username, got.Password, got.IdentityToken, ""}
			if !seen[one] {
				seen[one] = true
				found[i].Logins = append(found[i].Logins, one)
			}
		}
	}
	return found
}

func failed(found []answer, err error) []answer {
	for i := range found {
		found[i].Error = err.Error()
	}
	return found
}

func main() {
	logrus.SetOutput(io.Discard)
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<24)
	out := json.NewEncoder(os.Stdout)
	for in.Scan() {
		var asked question
		if err := json.Unmarshal(in.Bytes(), &asked); err != nil {
			fmt.Fprintln(os.Stderr, "auths:", err)
			os.Exit(1)
		}
		if err := out.Encode(answers{docker(asked), containers(asked)}); err != nil {
			fmt.Fprintln(os.Stderr, "auths:", err)
			os.Exit(1)
		}
	}
}
