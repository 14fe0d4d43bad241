"""ResNet-50 in PyTorch, timed on request; started by `benchmarks.fanet` with another Python.

It is FA-Net's baseline: stride in the first 1x1 convolution of a stage, none in conv5, global
average pooling, a linear classifier, SGD with momentum and weight decay. For each line that it
reads, `train` or `infer`, it makes one step and prints seconds by the clock and of the processor.
"""

import sys
import time

import torch
from torch import nn


class Bottleneck(nn.Module):
    def __init__(self, inputs, width, stride):
        super().__init__()
        self.body = nn.Sequential(
            *convolution(inputs, width, 1, stride),
            nn.ReLU(inplace=True),
            *convolution(width, width, 3),
            nn.ReLU(inplace=True),
            *convolution(width, 4 * width, 1),
        )
        projects = inputs != 4 * width
        self.shortcut = nn.Sequential(
            *convolution(inputs, 4 * width, 1, stride) if projects else ()
        )

    def forward(self, x):
        return torch.relu(self.body(x) + self.shortcut(x))


def convolution(inputs, outputs, kernel, stride=1):
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2), nn.BatchNorm2d(outputs)


def resnet50(classes):
    layers = [*convolution(3, 64, 7, 2), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)]
    inputs = 64
    for width, blocks, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 1)):
        for number in range(blocks):
            layers.append(Bottleneck(inputs, width, stride if number == 0 else 1))
            inputs = 4 * width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, classes))


def main():
    batch, height, width, classes = map(int, sys.argv[1:])
    torch.manual_seed(0)
    model = resnet50(classes).to(memory_format=torch.channels_last)
    images = torch.randn(batch, 3, height, width).to(memory_format=torch.channels_last)
    labels = torch.randint(classes, (batch,))
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4, momentum=0.9, weight_decay=5e-4)

    def train():
        model.train()
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(images), labels).backward()
        optimizer.step()

    @torch.no_grad()
    def infer():
        model.eval()
        model(images)

    print(torch.__version__, flush=True)
    for line in sys.stdin:
        started = time.perf_counter(), time.process_time()
        {"train": train, "infer": infer}[line.strip()]()
        print(time.perf_counter() - started[0], time.process_time() - started[1], flush=True)


if __name__ == "__main__":
    main()
