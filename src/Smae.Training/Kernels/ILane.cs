using System.Runtime.Intrinsics;

namespace Smae.Training;

/// <summary>How sixteen numbers of a type in memory become float32 in a register, and back.</summary>
/// <typeparam name="T">What a number is in memory.</typeparam>
internal unsafe interface ILane<T> where T : unmanaged
{
    static abstract Vector512<float> Load(T* from);

    static abstract void Store(Vector512<float> values, T* to);

    static abstract float Read(T value);

    static abstract T Round(float value);
}
