namespace Microsoft.ML.Numeric;

/// <summary>Stops when the geometrically weighted average of the improvements falls below the tolerance.</summary>
internal sealed class MeanImprovement(float tolerance, float decay, int maximumIterations)
{
    private float _sum;

    public bool Stops(LbfgsState state)
    {
        _sum = (state.LastValue - state.Value) + (decay * _sum);
        float average = _sum * (1 - decay) / (1 - MathF.Pow(decay, state.Iteration));
        return average < tolerance || state.Iteration >= maximumIterations;
    }
}
