using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Trainers;

/// <summary>A linear function of the features for each class.</summary>
public abstract class LinearMulticlassModelParametersBase : ModelParametersBase<VBuffer<float>>, IMulticlassModel
{
    private readonly float[] _biases;
    private readonly float[][] _weights;

    /// <param name="env">The environment.</param>
    /// <param name="name">The name to register with.</param>
    /// <param name="parameters">The biases of all classes, then for each class its weights.</param>
    /// <param name="classCount">The number of classes.</param>
    private protected LinearMulticlassModelParametersBase(IHostEnvironment env, string name, ReadOnlySpan<float> parameters, int classCount)
        : base(env, name)
    {
        FeatureCount = (parameters.Length / classCount) - 1;
        _biases = parameters[..classCount].ToArray();
        _weights = new float[classCount][];
        for (int k = 0; k < classCount; k++)
            _weights[k] = parameters.Slice(classCount + (k * FeatureCount), FeatureCount).ToArray();
    }

    int IMulticlassModel.ClassCount => _biases.Length;

    int IMulticlassModel.FeatureCount => FeatureCount;

    internal int FeatureCount { get; }

    public void GetWeights(ref VBuffer<float>[] weights, out int numClasses)
    {
        numClasses = _weights.Length;
        Array.Resize(ref weights, Math.Max(numClasses, weights?.Length ?? 0));
        for (int k = 0; k < numClasses; k++)
            new VBuffer<float>(FeatureCount, _weights[k]).CopyTo(ref weights[k]);
    }

    public IEnumerable<float> GetBiases() => _biases;

    void IMulticlassModel.Score(in VBuffer<float> features, ref VBuffer<float> scores)
    {
        Host.Check(features.Length == FeatureCount, "src length should equal the number of features");
        VBufferEditor<float> editor = VBufferEditor.Create(ref scores, _biases.Length);
        for (int k = 0; k < _biases.Length; k++)
            editor.Values[k] = _biases[k] + Dot(features, _weights[k]);
        Calibrate(editor.Values);
        scores = editor.Commit();
    }

    /// <summary>The parameters as the constructor takes them.</summary>
    internal float[] ToParameters() => [.. _biases, .. _weights.SelectMany(w => w)];

    private protected static (float[] Parameters, int ClassCount) ReadParameters(ModelLoadContext ctx)
    {
        int classCount = ctx.Reader.ReadInt32();
        var parameters = new float[ctx.Reader.ReadInt32()];
        ctx.Reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(parameters.AsSpan()));
        return (parameters, classCount);
    }

    private protected void WriteParameters(ModelSaveContext ctx)
    {
        float[] parameters = ToParameters();
        ctx.Writer.Write(_biases.Length);
        ctx.Writer.Write(parameters.Length);
        ctx.Writer.Write(MemoryMarshal.AsBytes(parameters.AsSpan()));
    }

    /// <summary>Makes of the values of the linear functions what is given as scores.</summary>
    private protected abstract void Calibrate(Span<float> scores);

    private static float Dot(in VBuffer<float> features, float[] weights)
    {
        ReadOnlySpan<float> values = features.GetValues();
        if (features.IsDense)
            return TensorPrimitives.Dot(values, weights);
        ReadOnlySpan<int> indices = features.GetIndices();
        float sum = 0;
        for (int i = 0; i < values.Length; i++)
            sum += values[i] * weights[indices[i]];
        return sum;
    }
}
