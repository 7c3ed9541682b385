using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Smae.Export.Tests;

/// <summary>Runs a file in ONNX Runtime as anybody would, without any help of Smae's.</summary>
internal static class Onnx
{
    public static float[] Run(string path, string output, int count, byte[] images, byte[]? mask = null)
    {
        using var session = new InferenceSession(path);
        NamedOnnxValue Input<T>(string name, T[] values) => NamedOnnxValue.CreateFromTensor(
            name, new DenseTensor<T>(values, [count, .. session.InputMetadata[name].Dimensions.Skip(1)]));
        List<NamedOnnxValue> inputs = [Input("images", images)];
        if (mask is not null) inputs.Add(Input("mask", mask));
        using IDisposableReadOnlyCollection<DisposableNamedOnnxValue> results = session.Run(inputs, [output]);
        return [.. results[0].AsEnumerable<float>()];
    }

    public static ModelProto Load(string path) => ModelProto.Parser.ParseFrom(File.ReadAllBytes(path));

    public static void AssertClose(float[] expected, float[] found, double tolerance, string what = "")
    {
        Assert.HasCount(expected.Length, found);
        double difference = expected.Zip(found, (e, f) => Math.Abs((double)e - f)).Max(), magnitude = expected.Max(e => Math.Abs((double)e));
        Assert.IsLessThanOrEqualTo(tolerance * magnitude, difference, $"{what}: largest difference {difference:G3} of {magnitude:G3}");
    }
}
