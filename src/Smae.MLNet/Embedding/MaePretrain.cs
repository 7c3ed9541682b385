using static System.FormattableString;

namespace Smae.MLNet;

/// <summary>Pretrains a vision transformer on images without labels, then adds a column of the embeddings it makes.</summary>
/// <remarks>
/// <para>Every image is read and decoded once. The output column is a Vector&lt;Single&gt; of the encoder's width.</para>
/// <para>
/// The device is that of the <see cref="MLContext"/>: <see cref="MLContext.GpuDeviceId"/>, and the CPU where it is null. Where
/// <see cref="TrainingOptions.Seed"/> is null the seed comes from the <see cref="MLContext"/> too, so that two contexts made with the same seed train the same
/// weights on the same machine. Progress is written to <see cref="MLContext.Log"/>.
/// </para>
/// <para>
/// <c>Fit</c> throws an <see cref="InvalidDataException"/> where no image could be read, or one could not and <see cref="ImageReadOptions.BrokenImages"/> says
/// to fail, an <see cref="InvalidOperationException"/> where the GPU that the <see cref="MLContext"/> asks for is not there, and an
/// <see cref="OperationCanceledException"/> where <see cref="TrainingOptions.CancellationToken"/> was cancelled. Its transformer owns the trained weights.
/// </para>
/// </remarks>
public sealed class MaePretrainEstimator : ImageEstimator<MaeTransformer>
{
    private readonly MaePretrainOptions _options;
    private readonly ImageReadOptions _reading;

    /// <exception cref="ArgumentException">An option is out of range; the message names every one that is.</exception>
    internal MaePretrainEstimator(
        IHostEnvironment environment, string outputColumnName, string inputColumnName, MaePretrainOptions options, ImageReadOptions reading)
        : base(environment, inputColumnName, PreprocessingOf(options, reading), reading.MaxMegapixels)
    {
        (_options, _reading) = (options, reading);
        Outputs = [new VectorOutput(outputColumnName, options.Encoder.EmbedDim)];
    }

    private protected override IReadOnlyList<OutputColumn> Outputs { get; }

    private protected override MaeTransformer Create(IDataView input, ImageColumnKind kind)
    {
        using var channel = Host.Start("Training");
        var device = CatalogEnvironment.Device(Environment, channel);
        var options = _options with { Seed = _options.SeedFrom(Host) };
        var brokenImages = _reading.BrokenImages ?? BrokenImagePolicy.Skip;
        var loader = new ImageStoreLoader(Decoders, brokenImages, Host, channel, options.CancellationToken, _reading.Cache, options.Distributed);
        using var images = loader.Load(input, InputColumnName);
        var log = options.LogTo(channel);
        log($"Seed {options.Seed}.");
        var result = MaePretraining.Run(images, options, device, log);
        log(Invariant($"Pretraining took {result.Elapsed.TotalSeconds:0.0} s, {result.ImagesPerSecond:0} images/s; ")
            + Invariant($"the loss went from {result.FirstLoss:0.####} to {result.LastLoss:0.####}."));
        return new MaeTransformer(Host, InputColumnName, kind, Decoders, result.Encoder, Outputs, brokenImages, (result, options));
    }

    private static ImagePreprocessing PreprocessingOf(MaePretrainOptions options, ImageReadOptions reading)
    {
        options.Validate();
        reading.Validate();
        return options.Preprocessing;
    }
}
