"""PyTorch as a side of Smae's benchmarks: does one job over and over, a round for each line on standard input, and prints the seconds of each.

usage: peer.py JSON, where JSON holds: job (train, smae, encode), tuned, bf16, steps, batch, ratio, device, threads and the shape of the model.
"""
import ctypes
import json
import sys
import time

settings = json.loads(sys.argv[1])
tuned, bf16, device = settings["tuned"], settings["bf16"], settings.get("device", "cpu")
if tuned and device == "cpu":
    libc = ctypes.CDLL(None)   # as Smae does: glibc shall keep the memory of large tensors instead of mapping it anew each time
    libc.mallopt(-4, 0), libc.mallopt(-1, 2**31 - 1), libc.mallopt(-2, 256 << 20)

import torch

from model import MaskedAutoencoder, critic

if tuned and device == "cpu":
    torch.set_num_threads(settings["threads"])
torch.manual_seed(0)

shape = settings["model"]
model = MaskedAutoencoder(**shape).to(device)
batch, side = settings["batch"], shape["image"]
images = torch.randint(0, 256, (4 * batch, 3, side, side), dtype=torch.uint8)
mean = torch.tensor([0.485, 0.456, 0.406], device=device).view(1, 3, 1, 1)
deviation = torch.tensor([0.229, 0.224, 0.225], device=device).view(1, 3, 1, 1)
judge = critic().to(device) if settings["job"] == "smae" else None
decay = [p for p in model.parameters() if p.ndim > 1]
no_decay = [p for p in model.parameters() if p.ndim <= 1]
foreach = {"foreach": True} if tuned else {}
optimizer = torch.optim.AdamW([{"params": decay, "weight_decay": 0.05}, {"params": no_decay, "weight_decay": 0.0}], lr=1e-4, betas=(0.9, 0.95), **foreach)


def load():
    picked = images[torch.randint(0, len(images), (batch,))].to(device)
    return (picked.float() / 255 - mean) / deviation


def train():
    pictures = load()
    with torch.autocast(device, torch.bfloat16, enabled=bf16):
        prediction, mask = model(pictures, settings["ratio"])
        prediction = prediction.float()
        if judge is None:
            loss = model.pixel_loss(pictures, prediction, mask)
        else:
            pixel = ((prediction - model.patchify(pictures)) ** 2).mean()
            with torch.no_grad():
                target = judge(pictures)
            loss = 0.5 * pixel + 0.5 * ((judge(model.unpatchify(prediction)) - target).float() ** 2).mean()
    loss.backward()
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return loss.item()


def encode():
    with torch.inference_mode(), torch.autocast(device, torch.bfloat16, enabled=bf16):
        return model.encode(load()).float().sum().item()


job = encode if settings["job"] == "encode" else train
if settings["job"] == "encode":
    model.eval()
for _ in range(2):
    job()
print(json.dumps({"version": torch.__version__, "threads": torch.get_num_threads()}), flush=True)
for _ in sys.stdin:
    started = time.perf_counter()
    for _ in range(settings["steps"]):
        job()
    print(json.dumps({"seconds": time.perf_counter() - started}), flush=True)
