using Microsoft.ML.Runtime;

namespace Microsoft.ML.Numeric;

/// <summary>The loop of the optimizer: search along a direction, stop or go on from there.</summary>
internal static class Lbfgs
{
    public static float[] Minimize(IHostEnvironment env, LbfgsState state, MeanImprovement criterion)
    {
        using IChannel ch = env.Start("LBFGS Optimizer");
        ch.Info("Beginning optimization");
        ch.Info("num vars: {0}", state.Dimension);
        ch.Info("improvement criterion: Mean Improvement");
        state.Start();
        while (true)
        {
            if (!state.Search(force: false))
            {
                // The remembered gradients may have led astray: try once more along the steepest descent.
                state.Forget();
                state.Search(force: true);
            }

            if (criterion.Stops(state))
                return state.NextPoint;
            state.Advance();
        }
    }
}
