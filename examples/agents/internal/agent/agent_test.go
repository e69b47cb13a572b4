package agent

import (
	"testing"
	"time"

	"turnout.dev/examples/agents/internal/workflow"
)

func goal(text string, steps ...workflow.Step) workflow.Workflow {
	return workflow.Workflow{Goal: text, Steps: steps}
}

func TestNextAction(t *testing.T) {
	counted := workflow.Step{Tool: "calculator", Input: "2 + 3", Output: "5"}
	now := time.Now()
	approved := goal("send 2 + 3", counted)
	approved.Approval = &workflow.Approval{Answered: &now, By: "ada"}
	cases := map[string]struct {
		workflow workflow.Workflow
		want     Action
	}{
		"a sum is calculated":      {goal("what is 2 + 3"), Action{"researcher", UseTool, "calculator", "2 + 3"}},
		"a question is searched":   {goal("find kubernetes rollouts"), Action{"researcher", UseTool, "search", "kubernetes rollouts"}},
		"no tool twice":            {goal("what is 2 + 3", counted), Action{"writer", Answer, "", "2 + 3: 5"}},
		"a risky goal is asked":    {goal("send 2 + 3", counted), Action{"operator", AskPerson, "", "May I do this: send 2 + 3?"}},
		"after yes it is answered": {approved, Action{"writer", Answer, "", "2 + 3: 5; approved by ada"}},
		"nothing to do":            {goal("hello"), Action{"writer", Answer, "", "Nothing to look up for: hello"}},
		"too many steps":           {goal("hello", make([]workflow.Step, MaxSteps)...), Action{"supervisor", GiveUp, "", "no answer after 20 steps"}},
	}
	for name, one := range cases {
		if got := Next(one.workflow); got != one.want {
			t.Errorf("%s: got %+v, want %+v", name, got, one.want)
		}
	}
}

func TestTokensGrowWithWhatWasReadAndWritten(t *testing.T) {
	w := goal("what is 2 + 3", workflow.Step{Input: "2 + 3", Output: "5"})
	got := Tokens(w, Action{Text: "2 + 3: 5"})
	if got.Input != 9 || got.Output != 5 {
		t.Errorf("got %+v", got)
	}
}
