using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>
/// The loss of DINO (Caron et al. 2021): cross entropy between what the teacher makes of one crop and what the student makes of another. The
/// teacher's logits are centred by a moving average and sharpened by a low temperature, which together keep all outputs from becoming the same.
/// </summary>
internal sealed class DinoLoss : IDisposable
{
    private const int TeacherCrops = 2;
    private readonly DinoObjective _settings;
    private readonly Tensor _sum;   // of the teacher's logits since the centre last moved
    private long _rows;

    public DinoLoss(DinoObjective settings, Device device)
    {
        _settings = settings;
        Center = zeros([1, settings.OutputDim], device: device).DetachFromDisposeScope();
        _sum = zeros([1, settings.OutputDim], device: device).DetachFromDisposeScope();
    }

    /// <summary>What is taken off the teacher's logits, <c>[1, outputs]</c>.</summary>
    public Tensor Center { get; }

    /// <summary>What the student is to predict: the teacher's probabilities, centred and sharpened.</summary>
    /// <param name="teacher">Logits, <c>[crops * batch, outputs]</c>.</param>
    /// <param name="epoch">The epoch, counted from 0: it decides the temperature.</param>
    /// <returns><c>[crops * batch, outputs]</c>, without a graph.</returns>
    public Tensor Targets(Tensor teacher, int epoch) => ((teacher.detach() - Center) / _settings.TeacherTemperatureAt(epoch)).softmax(-1);

    /// <summary>The loss of a batch; the centre stays as it is until <see cref="MoveCenter"/>.</summary>
    /// <param name="student">
    /// Logits of all crops one after the other, the two global ones first: <c>[crops * batch, outputs]</c>, with their graph.
    /// </param>
    /// <param name="teacher">Logits of the two global crops, <c>[2 * batch, outputs]</c>.</param>
    /// <param name="epoch">The epoch, counted from 0.</param>
    /// <returns>The mean over all pairs of different crops and over the batch, a scalar.</returns>
    public Tensor Of(Tensor student, Tensor teacher, int epoch)
    {
        using (no_grad()) _sum.add_(teacher.sum([0L], keepdim: true));
        _rows += teacher.size(0);
        long batch = teacher.size(0) / TeacherCrops, crops = student.size(0) / batch;
        Tensor targets = Targets(teacher, epoch).view(TeacherCrops, batch, -1);
        Tensor predicted = student.div(_settings.StudentTemperature).log_softmax(-1).view(crops, batch, -1);
        Tensor others = predicted.sum([0L], keepdim: true) - predicted.narrow(0, 0, TeacherCrops);   // for each teacher's crop, all but itself
        return (targets * others).sum() / (-(double)batch * TeacherCrops * (crops - 1));
    }

    /// <summary>Moves the centre towards the mean of the logits since it last moved: once a step, however many parts its batch had.</summary>
    public void MoveCenter()
    {
        using DisposeScope scope = NewDisposeScope();
        using var noGrad = no_grad();
        double momentum = _settings.CenterMomentum;
        Center.mul_(momentum).add_(_sum, (1 - momentum) / _rows);
        _sum.zero_();
        _rows = 0;
    }

    public void Dispose()
    {
        Center.Dispose();
        _sum.Dispose();
    }
}
