"""The rules of a case, by part: life (states and steps), opening, dispatch, work (what people do with it), words (how it is told)."""
