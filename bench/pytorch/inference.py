"""A policy's network asked for one action at a time."""

import torch
import torch.nn as nn
import torch.nn.functional as F


def make(style, sizes):
    """@returns a function that computes one action, into a NumPy array as a robot would take it"""
    layers = []
    for inputs, outputs in zip(sizes, sizes[1:]):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    network = nn.Sequential(*layers[:-1])
    x = torch.randn(1, sizes[0])
    if style == "cleanrl":

        def forward():
            with torch.no_grad():
                return network(x).numpy()

        return forward
    parameters = [(m.weight.detach(), m.bias.detach()) for m in network if isinstance(m, nn.Linear)]

    def lean(h):
        for weight, bias in parameters[:-1]:
            h = F.linear(h, weight, bias).relu_()
        return F.linear(h, *parameters[-1])

    compute = torch.compile(lean, dynamic=False) if style == "compile" else lean

    def act():
        with torch.inference_mode():
            return compute(x).numpy()

    return act
