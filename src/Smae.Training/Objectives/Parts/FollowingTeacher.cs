using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>
/// A teacher that follows the encoder (DINO, SdAE): a copy of it at first, then a moving average of it. It has neither gradients nor dropout.
/// </summary>
internal sealed class FollowingTeacher : IDisposable
{
    private readonly VisionTransformer _student;

    /// <param name="student">The encoder that is followed, already on <paramref name="device"/>.</param>
    /// <param name="device">Where it is.</param>
    public FollowingTeacher(VisionTransformer student, Device device)
    {
        _student = student;
        Model = new VisionTransformer(student.Config with { Dropout = 0 }).to(device);
        Model.Precision = student.Precision;
        foreach (Parameter parameter in Model.parameters()) parameter.requires_grad_(false);
        Follow(momentum: 0);
    }

    /// <summary>The teacher.</summary>
    public VisionTransformer Model { get; }

    /// <summary>What a checkpoint must keep: <c>teacher.NAME</c>.</summary>
    public IEnumerable<(string Name, Tensor Tensor)> State => ModelWeights.Of(Model).Select(w => ($"teacher.{w.Name}", w.Tensor));

    /// <summary>
    /// <c>teacher = momentum * teacher + (1 - momentum) * student</c>. The position table follows too, as in the published code of SdAE, where it
    /// need not be the encoder's at first.
    /// </summary>
    /// <param name="momentum">What the teacher keeps of itself, in [0, 1].</param>
    public void Follow(double momentum) => MovingAverage.Update(Weights(Model), Weights(_student), momentum);

    /// <summary>Gives the student the teacher's weights: the end of a run that keeps the teacher.</summary>
    public void Replace() => MovingAverage.Update(Weights(_student), Weights(Model), momentum: 0);

    public void Dispose() => Model.Dispose();

    private static IEnumerable<Tensor> Weights(VisionTransformer model) => ModelWeights.Of(model).Select(w => w.Tensor);
}
