using TorchSharp.Modules;
using TorchSharp.Utils;

namespace Smae.Training;

/// <summary>SqueezeNet v1.1 (Iandola et al. 2016), the critic of SMAE, with torchvision's names: <c>features.N...</c>, <c>classifier.1...</c>.</summary>
public sealed class SqueezeNet : nn.Module<Tensor, Tensor>, IPartwiseModel
{
    /// <summary>Layers up to and with the second Fire module: where SMAE cuts its critic.</summary>
    public const int CriticDepth = 5;

    /// <summary>Least height and width of an image for a whole network.</summary>
    public const int MinimumSide = 21;   // smaller images have nothing left after the last pooling

    internal const int FullDepth = 13;   // layers before the classifier

    private readonly ForwardNoise _noise = new();
    [ComponentName(Name = "features")] private readonly Sequential _features;
    [ComponentName(Name = "classifier")] private readonly Sequential? _classifier;

    /// <summary>A network with random weights, as torchvision draws them, on the CPU.</summary>
    /// <param name="channels">Channels of an image. Default 3.</param>
    /// <param name="seed">Seed of the random weights. Default 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is not positive.</exception>
    public SqueezeNet(int classes, int channels = 3, long seed = 0) : this(classes, channels, FullDepth, seed) =>
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(classes);

    private SqueezeNet(int? classes, int channels, int depth, long seed) : base(ModuleExtensions.Name(nameof(SqueezeNet)))
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(channels);
        using DisposeScope scope = NewDisposeScope();
        (Classes, Channels) = (classes, channels);
        _features = nn.Sequential(Features(channels).Take(depth));
        if (classes is not null) _classifier = nn.Sequential(("1", nn.Conv2d(512, classes.Value, 1)), ("2", nn.ReLU()));
        RegisterComponents();
        Initialize(seed);
        this.DetachFromDisposeScopes();
    }

    /// <summary>Number of classes; null for a network cut before its classifier.</summary>
    public int? Classes { get; }

    /// <summary>Channels of an image.</summary>
    public int Channels { get; }

    internal IEnumerable<(string Name, Tensor Tensor)> Weights => named_parameters().Select(p => (p.Item1, (Tensor)p.Item2));

    ForwardNoise IPartwiseModel.Noise => _noise;

    int? IPartwiseModel.RowsPerImage => 64;   // not tokens, but about as much work as that many

    /// <summary>Classifies images, or gives features if the network is cut.</summary>
    /// <param name="input">Normalised images, <c>[batch, channels, height, width]</c>, at least 21 pixels a side for a whole network.</param>
    /// <returns>Logits <c>[batch, classes]</c>, or the features of the last layer kept, <c>[batch, channels, height, width]</c>.</returns>
    public override Tensor forward(Tensor input)
    {
        Tensor x = _features.forward(input);
        if (_classifier is null) return x;
        if (training) x = _noise.Dropout(x, 0.5);
        return _classifier.forward(x).mean([2, 3]);
    }

    /// <summary>Saves the weights as safetensors.</summary>
    /// <exception cref="ObjectDisposedException">The network has been disposed.</exception>
    public void Save(string path)
    {
        this.RequireWeight();
        SafeTensors.Save(path, Weights, new Dictionary<string, string> { ["format"] = "pt", ["architecture"] = "squeezenet1_1" });
    }

    /// <summary>Loads a whole network from what <see cref="Save"/> wrote or from torchvision's weights as safetensors.</summary>
    /// <exception cref="InvalidDataException">The file is damaged, or a tensor is missing, unknown or of another shape; the message names each.</exception>
    public static SqueezeNet Load(string path) => Load(path, FullDepth);

    internal static SqueezeNet Load(string path, int depth) => Load(SafeTensors.Open(path), depth);

    internal static SqueezeNet Load(SafeTensorsFile file, int depth, string prefix = "")
    {
        const string first = "features.0.weight", last = "classifier.1.weight";
        foreach (string name in (string[])[first, last])
            if (!file.Contains(prefix + name)) throw new InvalidDataException($"{file.Path} does not hold a SqueezeNet: '{name}' is missing.");
        int? classes = depth == FullDepth ? (int)file.Shape(prefix + last)[0] : null;
        var network = new SqueezeNet(classes, (int)file.Shape(prefix + first)[1], depth, seed: 0);
        return network.OrDispose(_ => ModelWeights.Load(network.Weights, file, name => depth < FullDepth, prefix));
    }

    private static nn.Module<Tensor, Tensor>[] Features(int channels)
    {
        static nn.Module<Tensor, Tensor> Pool() => nn.MaxPool2d(3, stride: 2, ceil_mode: true);   // the last may reach over the edge
        return
        [
            nn.Conv2d(channels, 64, 3, stride: 2), nn.ReLU(), Pool(), new Fire(64, 16, 64), new Fire(128, 16, 64),
            Pool(), new Fire(128, 32, 128), new Fire(256, 32, 128),
            Pool(), new Fire(256, 48, 192), new Fire(384, 48, 192), new Fire(384, 64, 256), new Fire(512, 64, 256),
        ];
    }

    private void Initialize(long seed)
    {
        using var generator = new Generator((ulong)seed);
        using var _ = no_grad();
        foreach ((string name, Tensor tensor) in Weights)
        {
            double bound = Math.Sqrt(6.0 / (tensor.numel() / tensor.size(0)));   // Kaiming uniform over the inputs of a neuron
            if (tensor.dim() == 1) tensor.zero_();
            else if (name.StartsWith("classifier", StringComparison.Ordinal)) tensor.normal_(0, 0.01, generator);
            else tensor.uniform_(-bound, bound, generator);
        }
    }
}

/// <summary>A Fire module: few channels by 1x1, then many by 1x1 and 3x3 side by side (Iandola et al. 2016); torchvision's names.</summary>
internal sealed class Fire : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "squeeze")] private readonly Conv2d _squeeze;
    [ComponentName(Name = "expand1x1")] private readonly Conv2d _expand1;
    [ComponentName(Name = "expand3x3")] private readonly Conv2d _expand3;

    public Fire(int inputs, int squeeze, int expand) : base(nameof(Fire))
    {
        _squeeze = nn.Conv2d(inputs, squeeze, 1);
        _expand1 = nn.Conv2d(squeeze, expand, 1);
        _expand3 = nn.Conv2d(squeeze, expand, 3, padding: 1);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        x = nn.functional.relu(_squeeze.forward(x));
        return cat([nn.functional.relu(_expand1.forward(x)), nn.functional.relu(_expand3.forward(x))], 1);
    }
}
