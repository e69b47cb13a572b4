// Package agent decides what to do next in a workflow, by a deterministic model that is built in: the same goal always
// takes the same way, so that a run can be repeated and tested.
package agent

import (
	"fmt"
	"regexp"
	"strings"

	"turnout.dev/examples/agents/internal/workflow"
)

// Model is the name that metrics and spans carry.
const Model = "rules-1"

// MaxSteps ends a workflow that does not come to an answer.
const MaxSteps = 20

// Kind of what an agent wants.
type Kind int

const (
	UseTool Kind = iota
	AskPerson
	Answer
	GiveUp
)

// Action is the model's reply: what one agent wants to happen next.
type Action struct {
	Agent string
	Kind  Kind
	Tool  string
	Text  string
}

var (
	sum    = regexp.MustCompile(`[-(]*\d[\d.]*(?:\s*[-+*/]\s*[-(]*\d[\d.]*\)*)+`)
	lookup = regexp.MustCompile(`(?i)\b(?:find|search|look up)\s+([\pL\pN -]+)`)
	risky  = regexp.MustCompile(`(?i)\b(?:send|pay|publish|delete|order)\b`)
)

// Next is a pure function of the workflow, so a runner that takes one over goes on where the last one stopped.
func Next(w workflow.Workflow) Action {
	if len(w.Steps) >= MaxSteps {
		return Action{Agent: "supervisor", Kind: GiveUp, Text: fmt.Sprintf("no answer after %d steps", MaxSteps)}
	}
	if tool, input, open := openQuestion(w); open {
		return Action{Agent: "researcher", Kind: UseTool, Tool: tool, Text: input}
	}
	if risky.MatchString(w.Goal) && !w.Approved() {
		return Action{Agent: "operator", Kind: AskPerson, Text: "May I do this: " + w.Goal + "?"}
	}
	return Action{Agent: "writer", Kind: Answer, Text: compose(w)}
}

// Tokens counts words: near enough for a model that is made of rules.
func Tokens(w workflow.Workflow, action Action) workflow.Tokens {
	read := len(strings.Fields(w.Goal))
	for _, step := range w.Steps {
		read += len(strings.Fields(step.Input)) + len(strings.Fields(step.Output))
	}
	return workflow.Tokens{Input: read, Output: 1 + len(strings.Fields(action.Text))}
}

func openQuestion(w workflow.Workflow) (tool, input string, open bool) {
	for _, expression := range sum.FindAllString(w.Goal, -1) {
		if !done(w, "calculator", expression) {
			return "calculator", expression, true
		}
	}
	for _, match := range lookup.FindAllStringSubmatch(w.Goal, -1) {
		if !done(w, "search", strings.TrimSpace(match[1])) {
			return "search", strings.TrimSpace(match[1]), true
		}
	}
	return "", "", false
}

func done(w workflow.Workflow, tool, input string) bool {
	for _, step := range w.Steps {
		if step.Tool == tool && step.Input == input {
			return true
		}
	}
	return false
}

func compose(w workflow.Workflow) string {
	var parts []string
	for _, step := range w.Steps {
		if step.Tool != "" {
			parts = append(parts, step.Input+": "+step.Output)
		}
	}
	if w.Approved() {
		parts = append(parts, "approved by "+w.Approval.By)
	}
	if len(parts) == 0 {
		return "Nothing to look up for: " + w.Goal
	}
	return strings.Join(parts, "; ")
}
