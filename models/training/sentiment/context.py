"""A turn's sentiment beside its party's other turns, as core/src/sentiment_context.rs computes it; for fitting and measuring.

Evidence of a turn: logits less their mean. In context: evidence(t) + weight · Σ decay^(|s − t| − 1) · evidence(s) over the same party's other turns.
"""

import numpy as np


def centred(logits):
    return logits - logits.mean(-1, keepdims=True)


def lent(evidence, dialogues, speakers, decay):
    """What the same speaker's other turns in the same dialogue lend to each turn, for a weight of 1; rows in order, dialogues whole."""
    total = np.zeros_like(evidence)
    for order in (range(len(evidence)), range(len(evidence) - 1, -1, -1)):
        dialogue, so_far = None, {}
        for i in order:
            if dialogues[i] != dialogue:
                dialogue, so_far = dialogues[i], {}
            total[i] += so_far.get(speakers[i], 0.0)
            so_far = {speaker: decay * value for speaker, value in so_far.items()}
            so_far[speakers[i]] = so_far.get(speakers[i], 0.0) + evidence[i]
    return total


def in_context(probabilities, says, dialogues, speakers, weight, decay):
    """Of the probabilities of each turn alone [n, 3], as kept in whole per mille; a turn that says nothing neither lends nor is lent to."""
    evidence = centred(np.log(np.maximum(np.round(1000 * probabilities), 1) / 1000)) * says[:, None]
    z = evidence + weight * lent(evidence, dialogues, speakers, decay)
    e = np.exp(z - z.max(1, keepdims=True))
    return np.where(says[:, None], e / e.sum(1, keepdims=True), probabilities)
