using TorchSharp.Utils;
using static TorchSharp.torch;

namespace TorchSharp.Modules;

/// <summary>What normalisations with running statistics share.</summary>
public abstract class NormBase : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = nameof(bias))] private Parameter? heldBias;
    [ComponentName(Name = nameof(weight))] private Parameter? heldWeight;
    [ComponentName(Name = nameof(running_mean))] private Tensor? heldMean;
    [ComponentName(Name = nameof(running_var))] private Tensor? heldVariance;
    [ComponentName(Name = nameof(num_batches_tracked))] private Tensor? heldCount;

    public NormBase(long num_features, double eps, double? momentum, bool affine, bool track_running_stats, Device? device, ScalarType? dtype, string name) : base(name)
    {
        this.num_features = num_features;
        this.eps = eps;
        this.momentum = momentum;
        this.affine = affine;
        this.track_running_stats = track_running_stats;
        if (affine)
        {
            weight = nn.Parameter(empty(num_features, dtype, device));
            bias = nn.Parameter(empty(num_features, dtype, device));
        }
        if (track_running_stats)
        {
            running_mean = zeros(num_features, dtype, device);
            running_var = ones(num_features, dtype, device);
            num_batches_tracked = tensor(0L, dtype, device);
        }
        reset_parameters();
    }

    public long num_features { get; private set; }

    public double eps { get; set; }

    public double? momentum { get; set; }

    public bool affine { get; private set; }

    public bool track_running_stats { get; private set; }

    public Parameter weight { get => heldWeight!; set => Replace(ref heldWeight, value ?? throw new ArgumentNullException(nameof(weight)), nameof(weight)); }

    public Parameter? bias { get => heldBias; set => Replace(ref heldBias, value, nameof(bias)); }

    public Tensor? running_mean { get => heldMean; set => Replace(ref heldMean, value, nameof(running_mean)); }

    public Tensor? running_var { get => heldVariance; set => Replace(ref heldVariance, value, nameof(running_var)); }

    public Tensor? num_batches_tracked { get => heldCount; set => Replace(ref heldCount, value, nameof(num_batches_tracked)); }

    public void reset_running_stats()
    {
        if (!track_running_stats) return;
        nn.init.zeros_(running_mean!);
        nn.init.ones_(running_var!);
        nn.init.zeros_(num_batches_tracked!);
    }

    public void reset_parameters()
    {
        reset_running_stats();
        if (!affine) return;
        nn.init.ones_(weight);
        nn.init.zeros_(bias!);
    }

    protected abstract void ValidateInputDimensions(Tensor input);

    private protected Tensor? HeldWeight => heldWeight;

    protected override void Dispose(bool disposing)
    {
        foreach (var held in (Tensor?[])[heldWeight, heldBias, heldMean, heldVariance, heldCount]) held?.Dispose();
        base.Dispose(disposing);
    }
}
