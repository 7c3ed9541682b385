using TorchSharp.Modules;

namespace Smae.Training;

/// <summary>
/// An optimiser over flat buffers: all parameters become views of one tensor and their gradients of another, so that a step is a dozen operations on large
/// tensors instead of dozens for each of a hundred small ones.
/// </summary>
public abstract class Optimizer : IDisposable
{
    private readonly List<Segment> _segments = [];
    private double? _weightDecay;

    /// <exception cref="ArgumentException">There is no parameter, or one is not float32.</exception>
    private protected Optimizer(IReadOnlyList<ParameterGroup> groups)
    {
        Parameter[] parameters = [.. groups.SelectMany(g => g.Parameters)];
        Parameters = parameters;
        if (parameters.Length == 0) throw new ArgumentException("There is no parameter to optimise.", nameof(groups));
        if (parameters.FirstOrDefault(p => p.dtype != ScalarType.Float32) is { } other)
            throw new ArgumentException($"A parameter is {other.dtype}: expected Float32.", nameof(groups));

        using DisposeScope scope = NewDisposeScope();
        using var noGrad = no_grad();
        long count = parameters.Sum(p => p.numel()), offset = 0;
        Weights = zeros(count, ScalarType.Float32, parameters[0].device).DetachFromDisposeScope();
        Gradients = NewBuffer();
        foreach (ParameterGroup group in groups.Where(g => g.Parameters.Count > 0))
        {
            long start = offset;
            offset += group.Parameters.Sum(p => p.numel());
            _segments.Add(new Segment(Weights.narrow(0, start, offset - start).DetachFromDisposeScope(), start, offset - start, group));
        }
        foreach ((Parameter parameter, Tensor weights, Tensor gradient) in parameters.Zip(PlacesIn(Weights), PlacesIn(Gradients)))
        {
            weights.copy_(parameter);
            parameter.set_(weights);
            parameter.grad = gradient;
        }
    }

    /// <summary>Steps taken; set it together with <see cref="State"/> to go on from a checkpoint.</summary>
    public long StepCount { get; set; }

    /// <summary>
    /// Of <see cref="StepCount"/>, how many are no steps of the run: those that it took more, or, negative, fewer, in its epochs so far than it would by its
    /// batch size of now. <see cref="ParameterGroup.FrozenSteps"/> are steps of the run.
    /// </summary>
    internal long ExtraSteps { get; set; }

    /// <summary>What the optimiser remembers from step to step, as a checkpoint keeps it.</summary>
    public abstract IEnumerable<(string Name, Tensor Tensor)> State { get; }

    /// <summary>All parameters, in the order of <see cref="Weights"/>.</summary>
    internal IReadOnlyList<Parameter> Parameters { get; }

    /// <summary>All weights, one after the other.</summary>
    internal Tensor Weights { get; }

    /// <summary>All gradients, in the order of <see cref="Weights"/>.</summary>
    internal Tensor Gradients { get; }

    /// <summary>Where each group lies in the flat buffers.</summary>
    private protected IReadOnlyList<Segment> Segments => _segments;

    /// <summary>The groups that this step changes.</summary>
    private protected IEnumerable<Segment> TrainedSegments => _segments.Where(s => StepCount - ExtraSteps > s.Group.FrozenSteps);

    /// <summary>Scales the gradients down if their norm, taken over all of them, is larger than a limit.</summary>
    /// <returns>The norm before.</returns>
    public double ClipGradients(double maxNorm)
    {
        using Tensor norm = LimitGradients(maxNorm);
        return norm.AsDouble();
    }

    /// <summary>The same; the norm stays where the gradients are.</summary>
    internal Tensor LimitGradients(double maxNorm)
    {
        using DisposeScope scope = NewDisposeScope();
        using var noGrad = no_grad();
        Tensor norm = Gradients.Squared().sum().sqrt();
        Gradients.mul_(norm.Plus(1e-6).reciprocal().Times(maxNorm).AtMost(1));   // the epsilon of torch.nn.utils.clip_grad_norm_
        return norm.MoveToOuterDisposeScope();
    }

    /// <summary>Sets all gradients to zero.</summary>
    public void ZeroGrad() => Gradients.zero_();

    /// <summary>Changes the parameters by their gradients.</summary>
    /// <param name="learningRate">The learning rate of this step, before a group's own scale.</param>
    /// <param name="weightDecay">The weight decay of this step, for groups that decay at all; null takes each group's own. Default null.</param>
    public void Step(double learningRate, double? weightDecay = null)
    {
        StepCount++;
        _weightDecay = weightDecay;
        using DisposeScope scope = NewDisposeScope();
        using var noGrad = no_grad();
        foreach (Segment frozen in _segments.Where(s => StepCount - ExtraSteps <= s.Group.FrozenSteps))
            Gradients.narrow(0, frozen.Start, frozen.Length).zero_();   // what is remembered of them must not grow
        Update(learningRate);
    }

    /// <summary>One step, within a dispose scope and without gradients.</summary>
    private protected abstract void Update(double learningRate);

    /// <summary>The weight decay of a group in this step.</summary>
    private protected double WeightDecayOf(ParameterGroup group) => group.WeightDecay == 0 ? 0 : _weightDecay ?? group.WeightDecay;

    /// <summary>Zeros as many as there are weights, beyond any dispose scope.</summary>
    internal Tensor NewBuffer() => Weights.zeros_like().DetachFromDisposeScope();

    /// <summary>Where each parameter lies in a flat buffer, as views of it.</summary>
    /// <param name="buffer">As long as <see cref="Weights"/>.</param>
    internal IEnumerable<Tensor> PlacesIn(Tensor buffer)
    {
        long offset = 0;
        foreach (Parameter parameter in Parameters)
        {
            yield return buffer.narrow(0, offset, parameter.numel()).view(parameter.shape);
            offset += parameter.numel();
        }
    }

    /// <summary>Frees the buffers and the gradients; the parameters keep their values.</summary>
    public void Dispose()
    {
        foreach (Parameter parameter in Parameters)
            if (!parameter.IsInvalid) parameter.grad = null;   // a disposed model has no gradient to let go
        foreach (Segment segment in _segments) segment.Weights.Dispose();
        foreach ((_, Tensor tensor) in State) tensor.Dispose();
        Weights.Dispose();
        Gradients.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>A group's stretch of the flat buffers.</summary>
    private protected sealed record Segment(Tensor Weights, long Start, long Length, ParameterGroup Group);
}
