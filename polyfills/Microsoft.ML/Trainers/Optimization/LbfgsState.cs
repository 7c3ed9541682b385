using System.Numerics.Tensors;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Numeric;

/// <summary>Where the limited-memory BFGS method stands, for a smooth function.</summary>
internal class LbfgsState
{
    private readonly int _historySize;
    private readonly List<Correction> _history = [];

    /// <param name="objective">What is minimised.</param>
    /// <param name="initial">Where to begin.</param>
    /// <param name="historySize">How many steps are remembered.</param>
    /// <param name="nonNegative">Whether no coordinate may become negative.</param>
    public LbfgsState(Objective objective, float[] initial, int historySize, bool nonNegative)
    {
        Objective = objective;
        _historySize = historySize;
        NonNegative = nonNegative;
        Point = (float[])initial.Clone();
        Gradient = new float[initial.Length];
        NextPoint = new float[initial.Length];
        NextGradient = new float[initial.Length];
        Direction = new float[initial.Length];
        SteepestDescent = new float[initial.Length];
    }

    public int Dimension => Point.Length;

    /// <summary>Counts from 1.</summary>
    public int Iteration { get; private set; } = 1;

    public float Value { get; protected set; }

    public float LastValue { get; private set; }

    /// <summary>Where the last search ended.</summary>
    public float[] NextPoint { get; private set; }

    protected Objective Objective { get; }

    protected bool NonNegative { get; }

    protected float[] Point { get; private set; }

    protected float[] Gradient { get; private set; }

    protected float[] NextGradient { get; private set; }

    protected float[] Direction { get; }

    protected float[] SteepestDescent { get; }

    protected float FirstStep => Iteration == 1 ? 1 / TensorPrimitives.Norm<float>(Direction) : 1;

    public void Start()
    {
        Value = LastValue = Evaluate(Point, Gradient);
        CheckFinite(LastValue);
        UpdateDirection();
    }

    public void Forget()
    {
        _history.Clear();
        UpdateDirection();
    }

    /// <summary>Goes on from where the search ended.</summary>
    public void Advance()
    {
        Correction correction = _history.Count == _historySize ? _history[0] : new Correction(Dimension);
        if (_history.Count == _historySize)
            _history.RemoveAt(0);
        TensorPrimitives.Subtract(NextPoint, Point, correction.Step);
        TensorPrimitives.Subtract(NextGradient, Gradient, correction.GradientChange);
        correction.Curvature = TensorPrimitives.Dot<float>(correction.Step, correction.GradientChange);
        if (correction.Curvature == 0)
            throw new PrematureConvergenceException(NextPoint, "ro equals zero. Is your function linear?");
        _history.Add(correction);

        (Value, LastValue) = (LastValue, Value);
        (Point, NextPoint) = (NextPoint, Point);
        (Gradient, NextGradient) = (NextGradient, Gradient);
        Iteration++;
        UpdateDirection();
    }

    /// <summary>Looks for a good enough point along the direction; false if it gives up, which it does not when forced.</summary>
    public virtual bool Search(bool force) => new WolfeSearch(TryStep, LastValue, NextPoint).Run(InitialSlope(), FirstStep, force);

    protected static void CheckFinite(float value)
    {
        if (!float.IsFinite(value))
            throw Contracts.Except($"Optimizer unable to proceed with loss function yielding {value}");
    }

    protected virtual float Evaluate(float[] point, float[] gradient) => Objective(point, gradient);

    protected virtual void UpdateDirection()
    {
        for (int i = 0; i < Direction.Length; i++)
            SteepestDescent[i] = NonNegative && Point[i] <= 0 ? -MathF.Min(Gradient[i], 0) : -Gradient[i];
        SteepestDescent.CopyTo(Direction, 0);
        MapDirectionByInverseHessian();
        if (NonNegative)
            StopWhereDescentStops();
    }

    protected void CheckDescent(float slope)
    {
        if (slope == 0)
            throw new PrematureConvergenceException(NextPoint, "Directional derivative is zero. You may be sitting on the optimum.");
        Contracts.Check(slope < 0, "L-BFGS chose a non-descent direction.");
    }

    /// <summary>A coordinate at its bound stays there.</summary>
    protected void StopWhereDescentStops()
    {
        for (int i = 0; i < Direction.Length; i++)
        {
            if (SteepestDescent[i] == 0)
                Direction[i] = 0;
        }
    }

    /// <summary>The two loops over the remembered steps; those with a negative curvature are passed over.</summary>
    protected void MapDirectionByInverseHessian()
    {
        Correction[] good = [.. _history.Where(c => c.Curvature > 0)];
        if (good.Length == 0)
            return;
        var alphas = new float[good.Length];
        for (int i = good.Length - 1; i >= 0; i--)
        {
            alphas[i] = -TensorPrimitives.Dot<float>(good[i].Step, Direction) / good[i].Curvature;
            TensorPrimitives.MultiplyAdd(good[i].GradientChange, alphas[i], Direction, Direction);
        }

        Correction last = good[^1];
        TensorPrimitives.Multiply(Direction, last.Curvature / TensorPrimitives.SumOfSquares<float>(last.GradientChange), Direction);
        for (int i = 0; i < good.Length; i++)
        {
            float beta = TensorPrimitives.Dot<float>(good[i].GradientChange, Direction) / good[i].Curvature;
            TensorPrimitives.MultiplyAdd(good[i].Step, -alphas[i] - beta, Direction, Direction);
        }
    }

    private float InitialSlope()
    {
        float slope = TensorPrimitives.Dot<float>(Direction, Gradient);
        CheckDescent(slope);
        return slope;
    }

    private (float Value, float Slope) TryStep(float step)
    {
        TensorPrimitives.MultiplyAdd(Direction, step, Point, NextPoint);
        if (NonNegative)
            TensorPrimitives.Max(NextPoint, 0f, NextPoint);
        Value = Evaluate(NextPoint, NextGradient);
        return (Value, TensorPrimitives.Dot<float>(Direction, NextGradient));
    }

    /// <summary>One remembered step.</summary>
    private sealed class Correction(int dimension)
    {
        public float[] Step { get; } = new float[dimension];

        public float[] GradientChange { get; } = new float[dimension];

        public float Curvature { get; set; }
    }
}
