using System.Runtime.Intrinsics;

namespace Smae.Training;

/// <summary>Numbers that are float32 already.</summary>
internal readonly struct SingleLane : ILane<float>
{
    public static unsafe Vector512<float> Load(float* from) => Vector512.Load(from);

    public static unsafe void Store(Vector512<float> values, float* to) => values.Store(to);

    public static float Read(float value) => value;

    public static float Round(float value) => value;
}
