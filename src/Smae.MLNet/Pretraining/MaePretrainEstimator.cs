using Microsoft.ML;
using Microsoft.ML.Runtime;
using Smae.Training;
using static System.FormattableString;

namespace Smae.MLNet;

/// <summary>Pretrains a vision transformer on images without labels, then adds a column of the embeddings it makes.</summary>
/// <remarks>
/// <list type="table">
/// <item><term>Looks at the data to train</term><description>yes; every image is read and decoded once</description></item>
/// <item>
/// <term>Input column</term>
/// <description>Image, Text (path of an image file) or Vector&lt;Byte&gt; (content of an image file)</description>
/// </item>
/// <item><term>Output column</term><description>Vector&lt;Single&gt; of the encoder's width</description></item>
/// </list>
/// <para>
/// The device is that of the <see cref="MLContext"/>: <see cref="MLContext.GpuDeviceId"/>, and the CPU where it is null. Where
/// <see cref="TrainingOptions.Seed"/> is null the seed comes from the <see cref="MLContext"/> too, so that two contexts made with the
/// same seed train the same weights on the same machine. Progress is written to <see cref="MLContext.Log"/>.
/// </para>
/// </remarks>
public sealed class MaePretrainEstimator : IEstimator<MaeTransformer>
{
    private readonly IHostEnvironment _environment;
    private readonly IHost _host;
    private readonly string _outputColumnName;
    private readonly string _inputColumnName;
    private readonly MaePretrainOptions _options;
    private readonly ImageDecoders _decoders;

    /// <exception cref="ArgumentException">An option is out of range; the message names every one that is.</exception>
    internal MaePretrainEstimator(IHostEnvironment environment, string outputColumnName, string inputColumnName, MaePretrainOptions options)
    {
        options.Validate();
        _environment = environment;
        _host = environment.Register(nameof(MaePretrainEstimator));
        _outputColumnName = outputColumnName;
        _inputColumnName = inputColumnName;
        _options = options;
        _decoders = new ImageDecoders(options.Preprocessing);
    }

    /// <summary>Reads the images and trains.</summary>
    /// <param name="input">Data with the column of images.</param>
    /// <returns>A transformer that owns the trained weights: dispose it to free them.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it does not hold images.</exception>
    /// <exception cref="InvalidDataException">
    /// No image could be read, or one could not and <see cref="MaePretrainOptions.BrokenImages"/> says to fail.
    /// </exception>
    /// <exception cref="InvalidOperationException">The GPU that the <see cref="MLContext"/> asks for is not there.</exception>
    /// <exception cref="OperationCanceledException"><see cref="TrainingOptions.CancellationToken"/> was cancelled.</exception>
    public MaeTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        using var channel = _host.Start("Training");
        var device = DeviceResolver.Resolve(_environment, channel);
        var options = _options with { Seed = _options.Seed ?? _host.Rand.Next() };
        var loader = new ImageStoreLoader(_decoders, options.BrokenImages, _host, channel, options.CancellationToken, options.ImageCache);
        using var images = loader.Load(input, _inputColumnName);
        Info(channel, $"Seed {options.Seed}.");
        var result = MaePretraining.Run(images, options, device, message => Info(channel, message));
        Info(channel, Invariant(
            $"Pretraining took {result.Elapsed.TotalSeconds:0.0} s, {result.ImagesPerSecond:0} images/s; ") + Invariant(
            $"the loss went from {result.FirstLoss:0.####} to {result.LastLoss:0.####}."));
        return new MaeTransformer(
            _host, _outputColumnName, _inputColumnName, ImageColumn.Find(input.Schema, _inputColumnName).Kind, result.Encoder, _decoders,
            options.BrokenImages, (result, options));
    }

    /// <summary>The schema that the transformer will give.</summary>
    /// <param name="inputSchema">The shape of a schema with the column of images.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it does not hold images.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        ImageColumn.Check(inputSchema, _inputColumnName);
        return OutputShape.With(inputSchema, [MaeTransformer.Embedding(_outputColumnName, _options.Encoder.EmbedDim)]);
    }

    private static void Info(IChannel channel, string message) => channel.Info(MessageSensitivity.None, message);
}
