"""The head: logistic regressions over [three embeddings, roles, place] and over hashed n-grams, all acts fitted at once by L-BFGS.

A turn counts for the acts of its own role only. No chance is in it: the same rows give the same weights.
"""

import numpy as np
from scipy import sparse
from scipy.optimize import minimize

from common import ACTS, BUCKETS, DENSE, SIZE


def sigmoid(x):
    return 1 / (1 + np.exp(-np.clip(x, -50, 50)))


def ngram_matrix(rows):
    """Rows of buckets as a sparse matrix, each row divided by the root of its number."""
    lengths = np.array([len(row) for row in rows])
    columns = np.concatenate([np.asarray(row) for row in rows])
    values = np.repeat(1 / np.sqrt(lengths), lengths) * (columns > 0)
    return sparse.csr_matrix((values.astype(np.float32), columns, np.concatenate([[0], lengths.cumsum()])), (len(rows), BUCKETS))


def logits(p, x, ngrams):
    """With parameters as they are exported."""
    return x @ p["straight"] + ngrams @ p["table"] + p["bias"]


def scales(hyper):
    """How strongly each part of the dense input may speak: the penalty is on the weights of scaled inputs."""
    return np.repeat([hyper["now"], hyper["before"], hyper["earlier"], hyper["roles"], hyper["place"]], [SIZE, SIZE, SIZE, 3, 2]).astype(np.float32)


def rarity(ngrams):
    """Inverse document frequency of the buckets; 0 for those that training does not have."""
    rows = np.asarray((ngrams > 0).sum(0)).ravel()
    return ((np.log((1 + ngrams.shape[0]) / (1 + rows)) + 1) / 6 * (rows > 0)).astype(np.float32)


def fitted(x, ngrams, labels, weights, hyper):
    """`weights` [rows, acts]: how much a row counts for an act."""
    scale, rare = scales(hyper), rarity(ngrams) * hyper["ngrams"]
    used = np.flatnonzero(rare)
    x, w = (x * scale).astype(np.float32), (ngrams @ sparse.diags(rare)).tocsr()[:, used]
    transposed, shape = w.T.tocsr(), (DENSE + len(used) + 1, len(ACTS))

    def loss(flat):
        theta = flat.reshape(shape).astype(np.float32)
        z = x @ theta[:DENSE] + w @ theta[DENSE:-1] + theta[-1]
        error = weights * (sigmoid(z) - labels)
        slope = np.concatenate([x.T @ error, transposed @ error, error.sum(0, keepdims=True)])
        slope[:-1] += theta[:-1] / hyper["strength"]
        value = (weights * (np.logaddexp(0, z) - labels * z)).sum() + (theta[:-1] ** 2).sum() / 2 / hyper["strength"]
        return float(value), slope.ravel().astype(float)

    found = minimize(loss, np.zeros(shape).ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 150, "maxcor": 8, "ftol": 1e-5})
    theta = found.x.reshape(shape).astype(np.float32)
    table = np.zeros((BUCKETS, len(ACTS)), np.float32)
    table[used] = theta[DENSE:-1] * rare[used, None]
    return {"straight": theta[:DENSE] * scale[:, None], "table": table, "bias": theta[-1]}
