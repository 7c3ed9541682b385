namespace Smae.Benchmarks;

/// <summary>Encoding whole images, from bytes in memory to embeddings: TorchSharp and ONNX Runtime, and PyTorch.</summary>
internal sealed class EncodeBenchmark : IBenchmark
{
    // The name of a figure, what it is measured against others as, the side, its job and its format.
    private static readonly (string Figure, string Against, string Side, string Job, bool Bf16)[] s_own =
    [
        ("encodeFp32", "TorchSharp", "TorchSharp, fp32", "encode", false), ("encodeBf16", "TorchSharpBf16", "TorchSharp, bf16", "encode", true),
        ("onnxEncode", "Onnx", "ONNX Runtime, fp32", "onnx", false), ("onnxInt8Encode", "OnnxInt8", "ONNX Runtime, int8", "onnx-int8", false),
    ];

    public string Name => "encode";

    public string Description => "Embeddings of images in memory: TorchSharp (float32, bfloat16) and ONNX Runtime (float32, int8).";

    public void Run(BenchmarkContext context)
    {
        SideSettings settings = context.Settings("encode", steps: 3, batch: 64);
        List<Side> sides = [.. s_own.Where(own => (settings.Device == "cpu" || own.Job == "encode") && (context.HasBFloat16 || !own.Bf16))
            .Select(own => new Side(own.Side, settings with { Job = own.Job, Bf16 = own.Bf16 }))];
        if (context.PyTorch is { } peer) sides.AddRange(peer.Sides(settings, context.HasBFloat16));
        IReadOnlyDictionary<string, SideResult> results = context.Compare(
            Name, $"Encoding, {settings.Model.Image}x{settings.Model.Image}", sides, s_own[settings.Device == "cpu" ? 2 : 1].Side);

        (string Against, string Side)[] others =
            [.. s_own.Select(own => (own.Against, own.Side)), ("PyTorchDefault", PyTorchPeer.Installed), ("PyTorchTunedBf16", PyTorchPeer.Tuned)];
        foreach ((string figure, _, string own, _, _) in s_own)
        {
            if (!results.TryGetValue(own, out SideResult? ours)) continue;
            context.Report.Add($"{figure}ImagesPerSecond", ours.ImagesPerSecond);
            foreach ((string against, string side) in others)
                if (side != own && results.TryGetValue(side, out SideResult? other)) context.Report.Add($"{figure}Vs{against}", ours.SpeedOver(other));
        }
        context.Report.Add("encodeGigaflop", OperationCount.Encode(settings.Model, settings.Batch) / 1e9);
    }
}
