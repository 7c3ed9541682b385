namespace Smae.Benchmarks;

/// <summary>Encoding whole images, from bytes in memory to embeddings: TorchSharp and ONNX Runtime against PyTorch.</summary>
internal sealed class EncodeBenchmark : IBenchmark
{
    private const string Bf16 = "TorchSharp, bf16", Fp32 = "TorchSharp, fp32", Onnx = "ONNX Runtime, fp32", OnnxInt8 = "ONNX Runtime, int8";
    private const string TunedBf16 = "PyTorch, tuned, bf16", TunedFp32 = "PyTorch, tuned, fp32";

    public string Name => "encode";

    public string Description => "Embeddings of images in memory: TorchSharp and ONNX Runtime (float32 and int8) against PyTorch.";

    public void Run(BenchmarkContext context)
    {
        SideSettings settings = context.Settings("encode", steps: 3, batch: 64);
        List<Side> sides = [Side.Smae(Fp32, settings), Side.Smae(Bf16, settings with { Bf16 = true })];
        if (settings.Device == "cpu") sides.AddRange([Side.Smae(Onnx, settings with { Job = "onnx" }), Side.Smae(OnnxInt8, settings with { Job = "onnx-int8" })]);
        if (context.Peer is { } peer)
            sides.AddRange([peer.AsInstalled(settings), peer.Tuned(TunedFp32, settings), peer.Tuned(TunedBf16, settings with { Bf16 = true })]);
        IReadOnlyDictionary<string, SideResult> results = context.Compare(
            Name, $"Encoding, {settings.Model.Image}x{settings.Model.Image}", sides, settings.Device == "cpu" ? Onnx : Bf16, context.RoundsOr(5));

        foreach ((string figure, string own) in (ReadOnlySpan<(string, string)>)
                 [("encodeFp32", Fp32), ("encodeBf16", Bf16), ("onnxEncode", Onnx), ("onnxInt8Encode", OnnxInt8)])
        {
            if (!results.TryGetValue(own, out SideResult? ours)) continue;
            context.Report.Add($"{figure}ImagesPerSecond", ours.ImagesPerSecond);
            foreach ((string against, string side) in (ReadOnlySpan<(string, string)>)
                     [("PyTorchDefault", PyTorchPeer.Installed), ("PyTorchTuned", TunedFp32), ("PyTorchTunedBf16", TunedBf16), ("TorchSharp", Fp32)])
                if (side != own && results.TryGetValue(side, out SideResult? other)) context.Report.Add($"{figure}Vs{against}", ours.SpeedOver(other));
        }
        context.Report.Add("encodeGigaflop", OperationCount.Encode(settings.Model, settings.Batch) / 1e9);
    }
}
