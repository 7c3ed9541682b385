#nullable disable
namespace TorchSharp;

public static partial class torch
{
    public static partial class optim
    {
        /// <summary>Learning rates that change over time.</summary>
        public static partial class lr_scheduler
        {
            /// <summary>Sets the learning rates of an optimiser.</summary>
            public abstract class LRScheduler
            {
                protected int _step_count;
                internal Optimizer _optimizer;
                internal int _last_epoch = -1;
                internal IList<double> _base_lrs, _last_lrs;
                private readonly bool verbose;

                protected LRScheduler() { }

                protected LRScheduler(Optimizer optimizer, int last_epoch = -1, bool verbose = false)
                {
                    _optimizer = optimizer;
                    _last_epoch = last_epoch;
                    this.verbose = verbose;
                    _base_lrs = optimizer.ParamGroups.Select(group => group.InitialLearningRate).ToList();
                    _last_lrs = optimizer.ParamGroups.Select(group => group.LearningRate).ToList();
                }

                public virtual void step() => step(null);

                public virtual void step(int? epoch)
                {
                    _step_count++;
                    _last_epoch = epoch ?? _last_epoch + 1;
                    var rates = (epoch is null ? get_lr() : get_closed_form_lr()).ToList();
                    var groups = _optimizer.ParamGroups.ToList();
                    for (int i = 0; i < groups.Count; i++)
                    {
                        if (verbose && _last_lrs[i] != rates[i]) Console.WriteLine($"Adjusting learning rate to {rates[i]}");
                        groups[i].LearningRate = _last_lrs[i] = rates[i];
                    }
                }

                public virtual void step(double current, int? epoch = null) => step(epoch);

                public IEnumerable<double> get_last_lr() => _last_lrs;

                protected virtual IEnumerable<double> get_lr() => _optimizer.ParamGroups.Select(group => group.LearningRate);

                protected virtual IEnumerable<double> get_closed_form_lr() => get_lr();
            }

            public static LRScheduler LambdaLR(Optimizer optimizer, Func<int, double> lr_lambda, int last_epoch = -1, bool verbose = false) => new impl.LambdaLR(optimizer, lr_lambda, last_epoch, verbose);

            public static LRScheduler CosineAnnealingLR(Optimizer optimizer, double T_max, double eta_min = 0, int last_epoch = -1, bool verbose = false) => new impl.CosineAnnealingLR(optimizer, T_max, eta_min, last_epoch, verbose);

            /// <summary>The schedules.</summary>
            public static partial class impl
            {
                /// <summary>The first rates times a function of the epoch.</summary>
                public class LambdaLR : LRScheduler
                {
                    private readonly List<Func<int, double>> lambdas;

                    public LambdaLR(Optimizer optimizer, Func<int, double> lr_lambda, int last_epoch = -1, bool verbose = false)
                        : this(optimizer, Enumerable.Repeat(lr_lambda, optimizer.ParamGroups.Count()), last_epoch, verbose) { }

                    public LambdaLR(Optimizer optimizer, IEnumerable<Func<int, double>> lr_lambdas, int last_epoch = -1, bool verbose = false) : base(optimizer, last_epoch, verbose)
                    {
                        lambdas = lr_lambdas.ToList();
                        step();
                    }

                    protected override IEnumerable<double> get_lr() => _base_lrs.Select((rate, i) => rate * lambdas[i](_last_epoch));
                }

                /// <summary>Half a cosine, from the first rates down to the last.</summary>
                public class CosineAnnealingLR : LRScheduler
                {
                    private readonly double period, lowest;

                    public CosineAnnealingLR(Optimizer optimizer, double T_max, double eta_min = 0, int last_epoch = -1, bool verbose = false) : base(optimizer, last_epoch, verbose)
                    {
                        (period, lowest) = (T_max, eta_min);
                        step();
                    }

                    protected override IEnumerable<double> get_lr() =>
                        _last_epoch == 0 ? _optimizer.ParamGroups.Select(group => group.LearningRate) :
                        (_last_epoch - 1 - period) % (2 * period) == 0
                            ? _optimizer.ParamGroups.Select((group, i) => group.LearningRate + (_base_lrs[i] - lowest) * (1 - Math.Cos(Math.PI / period)) / 2)
                            : _optimizer.ParamGroups.Select(group => (1 + Math.Cos(Math.PI * _last_epoch / period)) / (1 + Math.Cos(Math.PI * (_last_epoch - 1) / period)) * (group.LearningRate - lowest) + lowest);

                    protected override IEnumerable<double> get_closed_form_lr() => _base_lrs.Select(rate => lowest + (rate - lowest) * (1 + Math.Cos(Math.PI * _last_epoch / period)) / 2);
                }
            }
        }
    }
}
