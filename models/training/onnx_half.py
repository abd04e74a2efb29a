"""Half the size for an ONNX file: large tensors of weights in half precision; sums are still computed in single precision."""

import numpy as np
import onnx
from onnx import helper, numpy_helper


def halve(model: onnx.ModelProto):
    """Each such tensor stands behind a Cast that is folded when the file is loaded."""
    casts = []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.size >= 1024:
            name = tensor.name
            tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), name + "_half"))
            casts.append(helper.make_node("Cast", [name + "_half"], [name], to=onnx.TensorProto.FLOAT))
    nodes = casts + list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
